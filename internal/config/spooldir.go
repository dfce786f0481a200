package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// decideSpoolDir takes the directory that systemd made, if it made one.
func (c *Listen) decideSpoolDir(in Input) {
	if c.SpoolDir != "" {
		return
	}
	if state, _ := in.LookupEnv("STATE_DIRECTORY"); state != "" {
		c.SpoolDir, _, _ = strings.Cut(state, ":")
		return
	}
	c.SpoolDir = filepath.Join(os.TempDir(), "kinesyslog-"+strconv.Itoa(c.uid()))
	c.privateSpool = true
	if c.Local == "" {
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"messages wait in %s, which may be emptied at a restart of the machine: give --spool-dir", c.SpoolDir))
	}
}

// Prepare makes the spool directory if it is not there, checks that it is
// ours to write, or User's, and fills in SpoolMaxBytes if it was not given or cannot be. It
// may add a warning. It is to be called once, before anything is put into the directory.
func (c *Listen) Prepare() error {
	if err := c.User.Check(); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	if err := c.giveSpoolDir(); err != nil {
		return fmt.Errorf("cannot make the spool directory: %w: give another with --spool-dir", err)
	}
	return c.User.While(c.prepareSpool)
}

func (c *Listen) prepareSpool() error {
	if err := c.makeSpoolDir(); err != nil {
		return fmt.Errorf("cannot use the spool directory: %w: give another with --spool-dir", err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(c.SpoolDir, &st); err != nil {
		return fmt.Errorf("cannot find out how much is free in %s: %w: give another with --spool-dir", c.SpoolDir, err)
	}
	if c.SpoolMaxBytes != 0 {
		c.capSpool(int64(st.Blocks) * st.Bsize)
		return nil
	}
	used, err := bytesIn(c.SpoolDir)
	if err != nil {
		return fmt.Errorf("cannot find out how much is in use in %s: %w: give --spool-max-bytes", c.SpoolDir, err)
	}
	c.SpoolMaxBytes = shareOf(int64(st.Bavail)*st.Bsize + used)
	return nil
}

// capSpool keeps the limit below the size of the file system. All else is
// measured by the limit: what is set aside to work with on a full disk must fit.
func (c *Listen) capSpool(size int64) {
	if size = max(size, minSpoolBytes); c.SpoolMaxBytes > size {
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"--spool-max-bytes is %d, but the file system of %s has only %d bytes: taking those for the limit", c.SpoolMaxBytes, c.SpoolDir, size))
		c.SpoolMaxBytes = size
	}
}

// shareOf is 80 % of what is free, but at least 1 GiB of it, and never so
// little that no message could wait: the disk itself is the limit then. What the spool
// holds already counts as free: otherwise a relay that is started again with a
// full spool would take nothing more.
func shareOf(free int64) int64 {
	return max(free/5*4, min(free, 1<<30), minSpoolBytes)
}

func (c *Listen) makeSpoolDir() error {
	if err := os.MkdirAll(c.SpoolDir, 0o700); err != nil {
		return err
	}
	if c.privateSpool {
		if err := checkPrivate(c.SpoolDir); err != nil {
			return err
		}
	}
	probe, err := os.CreateTemp(c.SpoolDir, ".probe-")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// checkPrivate guards against somebody who made the directory before us, in a
// place where everybody may make one.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case !ok || int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to somebody else", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others (mode %04o, not 0700)", dir, info.Mode().Perm())
	}
	return nil
}

func bytesIn(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				n += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // went away while we looked
		}
		return err
	})
	return n, err
}
