package privilege

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestUsersThatCannotBeWorkedAsAreErrors(t *testing.T) {
	for name, want := range map[string]string{
		"no-such-user-here": "there is no user",
		"root":              "is root",
		"":                  "there is no user",
	} {
		if u, err := Lookup(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: user %v, error %v, want one with %q", name, u, err, want)
		}
	}
}

func TestNobodyToBecomeChangesNothing(t *testing.T) {
	var u *User
	called := false
	failure := errors.New("x")
	if err := u.While(func() error { called = true; return failure }); !errors.Is(err, failure) || !called {
		t.Errorf("called: %v, error %v", called, err)
	}
	if err := errors.Join(u.Check(), u.Become()); err != nil {
		t.Error(err)
	}
}

func TestOnlyRootCanBecomeAnother(t *testing.T) {
	u := &User{Name: "other", UID: os.Geteuid() + 1, GID: 1}
	if os.Geteuid() == 0 {
		nobody, err := Lookup("nobody")
		if err != nil {
			t.Skip(err)
		}
		err = nobody.While(func() error { return u.Check() })
		if err == nil || !strings.Contains(err.Error(), "only root can become") {
			t.Errorf("error %v", err)
		}
		return
	}
	if err := u.Become(); err == nil || !strings.Contains(err.Error(), "only root can become") {
		t.Errorf("error %v", err)
	}
}

// TestWhatIsMadeWhileAUserBelongsToIt is for root. Become is tested with the
// whole relay, as there is no way back from it.
func TestWhatIsMadeWhileAUserBelongsToIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can work as another user")
	}
	u, err := Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	if account, err := user.Lookup("nobody"); err != nil || !slices.Contains(u.Groups, u.GID) || account.Username != u.Name {
		t.Errorf("user %+v, error %v", u, err)
	}
	dir, err := os.MkdirTemp("", "privilege")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	file, forbidden := filepath.Join(dir, "made"), filepath.Join(dir, "forbidden")
	if err := os.WriteFile(forbidden, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := u.While(func() error {
		if _, err := os.ReadFile(forbidden); !errors.Is(err, os.ErrPermission) {
			t.Errorf("a file of root is read: %v", err)
		}
		return os.WriteFile(file, nil, 0o600)
	}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != u.UID || int(st.Gid) != u.GID {
		t.Errorf("it belongs to %d:%d", st.Uid, st.Gid)
	}
	if os.Geteuid() != 0 || os.Getegid() != 0 {
		t.Errorf("root is not back: user %d, group %d", os.Geteuid(), os.Getegid())
	}
}
