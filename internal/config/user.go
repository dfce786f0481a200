package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"kinesyslog/internal/privilege"
)

// Owner is who a file is given to.
type Owner struct {
	UID, GID int // GID is -1 to leave the group as it is
}

func runAs(to **privilege.User) func([]string) error {
	return one(func(v string) (err error) {
		*to, err = privilege.Lookup(v)
		return err
	})
}

// owner takes names or numbers, as chown does.
func owner(to **Owner) func([]string) error {
	return one(func(v string) error {
		name, group, grouped := strings.Cut(v, ":")
		uid, err := strconv.Atoi(name)
		if err != nil {
			account, err := user.Lookup(name)
			if err != nil {
				return fmt.Errorf("there is no user %q on this machine: give one as USER or USER:GROUP", name)
			}
			if uid, err = strconv.Atoi(account.Uid); err != nil {
				return err
			}
		}
		gid := -1
		if grouped {
			if gid, err = strconv.Atoi(group); err != nil {
				account, err := user.LookupGroup(group)
				if err != nil {
					return fmt.Errorf("there is no group %q on this machine: give one as USER:GROUP", group)
				}
				if gid, err = strconv.Atoi(account.Gid); err != nil {
					return err
				}
			}
		}
		if uid < 0 || grouped && gid < 0 {
			return fmt.Errorf("%q is no owner: give USER or USER:GROUP", v)
		}
		*to = &Owner{UID: uid, GID: gid}
		return nil
	})
}

// uid is whose the spool directory is.
func (c *Listen) uid() int {
	if c.User != nil {
		return c.User.UID
	}
	return os.Geteuid()
}

// giveSpoolDir makes the spool directory for User, in a place where perhaps only
// root may make one. One that is there must be User's already: what is in it
// may be anything, and is not given away.
func (c *Listen) giveSpoolDir() error {
	if c.User == nil {
		return nil
	}
	info, err := os.Lstat(c.SpoolDir)
	if err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); !c.privateSpool && (!ok || int(st.Uid) != c.User.UID) {
			return fmt.Errorf("%s does not belong to %s of --user: if it is a spool directory of this relay, chown -R %s it", c.SpoolDir, c.User.Name, c.User.Name)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.SpoolDir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(c.SpoolDir, 0o700); err != nil {
		return err
	}
	// By its descriptor: nobody can put something else in its place meanwhile.
	dir, err := os.OpenFile(c.SpoolDir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(dir.Chown(c.User.UID, c.User.GID), dir.Close())
}

// Reread names the files that are read again while the relay runs, each once.
func (c *Listen) Reread() []string {
	var files []string
	for _, pair := range c.KeyPairs {
		files = append(files, pair.Cert, pair.Key)
	}
	for _, a := range c.Allow {
		files = append(files, a.Files...)
	}
	files = slices.Concat(files, c.ClientCAs, c.CRLs, c.PermitFiles)
	slices.Sort(files)
	return slices.Compact(files)
}
