// Package privilege gives root up. A process that is started as root, to bind
// ports below 1024 and to read keys, does its work as somebody else.
package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// User is an account that a process may become. A nil User stands for whoever
// the process is already: nothing is changed then.
type User struct {
	Name     string
	UID, GID int
	Groups   []int // all of them, GID among them
}

// Lookup finds an account by its name in the system's user database. Root is
// refused, as nothing would be given up.
func Lookup(name string) (*User, error) {
	account, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return nil, fmt.Errorf("there is no user %q on this machine: make one, with useradd --system %s", name, name)
	} else if err != nil {
		return nil, fmt.Errorf("look up user %q: %w", name, err)
	}
	groups, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("look up the groups of user %q: %w", name, err)
	}
	u := &User{Name: name}
	u.UID, err = strconv.Atoi(account.Uid)
	if err == nil {
		u.GID, err = strconv.Atoi(account.Gid)
	}
	if err != nil {
		return nil, fmt.Errorf("look up user %q: %w", name, err)
	}
	if u.UID == 0 {
		return nil, fmt.Errorf("user %q is root: name another one, who owns nothing but the spool directory", name)
	}
	u.Groups = []int{u.GID}
	for _, text := range groups {
		gid, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("look up the groups of user %q: %w", name, err)
		}
		if !slices.Contains(u.Groups, gid) {
			u.Groups = append(u.Groups, gid)
		}
	}
	return u, nil
}

// Check returns nil if the process can become this user: it is root, or the
// user already.
func (u *User) Check() error {
	if u == nil || os.Geteuid() == 0 || u.current() {
		return nil
	}
	return fmt.Errorf("only root can become user %q, and this process is user %d: start it as root, or as that user", u.Name, os.Geteuid())
}

// current tells whether the process is this user for good.
func (u *User) current() bool { return os.Getuid() == u.UID && os.Geteuid() == u.UID }

// While calls f with the user's rights to files, and takes root back. What f
// makes belongs to the user. All threads of the process are concerned, so it is
// for a time when nothing else goes on. The error is f's, or says why the
// rights could not be changed; root is not taken back only if that fails.
func (u *User) While(f func() error) (err error) {
	if u == nil || u.current() {
		return f()
	}
	if err := syscall.Setresgid(-1, u.GID, -1); err != nil {
		return fmt.Errorf("work as group %d of user %q: %w", u.GID, u.Name, err)
	}
	defer func() { err = errors.Join(err, u.taken(syscall.Setresgid(-1, 0, -1))) }()
	if err := syscall.Setresuid(-1, u.UID, -1); err != nil {
		return fmt.Errorf("work as user %q: %w", u.Name, err)
	}
	defer func() { err = errors.Join(err, u.taken(syscall.Setresuid(-1, 0, -1))) }()
	return f()
}

func (u *User) taken(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("take root back from user %q: %w", u.Name, err)
}

// Become gives root up in all threads, with all groups and capabilities, and
// makes sure that it cannot be had again.
func (u *User) Become() error {
	if u == nil || u.current() {
		return nil
	}
	if err := u.Check(); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"groups", func() error { return syscall.Setgroups(u.Groups) }},
		{"group", func() error { return syscall.Setresgid(u.GID, u.GID, u.GID) }},
		{"user", func() error { return syscall.Setresuid(u.UID, u.UID, u.UID) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("become user %q: set its %s: %w", u.Name, step.what, err)
		}
	}
	if syscall.Setuid(0) == nil {
		return fmt.Errorf("become user %q: root can be had again: start the process without securebits and with all of root's capabilities", u.Name)
	}
	return nil
}
