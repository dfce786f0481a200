package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kinesyslog/internal/vfs"
)

// lockName is the file whose flock a running relay holds.
const lockName = "lock"

// Owned is a spool directory that no relay uses until Release. Not for
// concurrent use.
type Owned struct {
	*Dir
	lock *os.File
	last uint64 // number given to a new file
}

// Own takes the directory's lock. It is an error if a relay, or somebody else
// who works on the directory, holds it.
func (d *Dir) Own() (*Owned, error) {
	uid, gid := owner(d.path)
	path := filepath.Join(d.path, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the spool directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("spool directory %s is in use by a running kinesyslog: stop it first (systemctl stop kinesyslog), and start it again when this is done", d.path)
		}
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	o := &Owned{Dir: &Dir{path: d.path, fs: d.fs}, lock: f}
	if uid >= 0 {
		o.fs = asOwner{FS: d.fs, uid: uid, gid: gid}
		if err := f.Chown(uid, gid); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot give the lock to the directory's owner: %w", err), o.Release())
		}
	}
	return o, nil
}

// Release gives the directory back.
func (o *Owned) Release() error { return o.lock.Close() }

// owner is who files must belong to so that the relay can use them, or -1 if
// that is us. Root works on the files of the relay's user.
func owner(dir string) (uid, gid int) {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return -1, -1
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return -1, -1
	}
	return int(st.Uid), int(st.Gid)
}

// asOwner is a file system whose new files belong to somebody else.
type asOwner struct {
	vfs.FS
	uid, gid int
}

// OpenFile implements vfs.FS.
func (a asOwner) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := a.FS.OpenFile(name, flag, perm)
	if err != nil || flag&os.O_CREATE == 0 {
		return f, err
	}
	if c, ok := f.(interface{ Chown(uid, gid int) error }); ok {
		if err := c.Chown(a.uid, a.gid); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot give %s to the directory's owner: %w", name, err), f.Close())
		}
	}
	return f, nil
}

// fresh is a name that no file has, and that no relay will give: it sorts behind
// all there are.
func (o *Owned) fresh(shard int) (string, error) {
	number := max(uint64(time.Now().UnixMilli()), o.last+1)
	for _, place := range []string{"", deadDir} {
		entries, err := o.fs.ReadDir(filepath.Join(o.path, place))
		if errors.Is(err, fs.ErrNotExist) && place != "" {
			break // there was no dead letter yet
		} else if err != nil {
			return "", fmt.Errorf("cannot read the spool directory: %w", err)
		}
		for _, e := range entries {
			digits, _, _ := strings.Cut(e.Name(), "-")
			if n, err := strconv.ParseUint(digits, 10, 64); err == nil && len(digits) == 16 {
				number = max(number, n+1)
			}
		}
	}
	o.last = number
	return fmt.Sprintf("%016d-%03d", number, shard%1000), nil
}
