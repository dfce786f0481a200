package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOwnersAreNamesOrNumbers(t *testing.T) {
	for value, want := range map[string]Owner{
		"root":      {0, -1},
		"root:root": {0, 0},
		"12":        {12, -1},
		"12:34":     {12, 34},
		"root:34":   {0, 34},
	} {
		var got *Owner
		if err := owner(&got)([]string{value}); err != nil {
			t.Errorf("%s: %v", value, err)
		} else if d := cmp.Diff(&want, got); d != "" {
			t.Errorf("%s: %s", value, d)
		}
	}
	for value, want := range map[string]string{
		"":                       "there is no user",
		"no-such-user-here":      "there is no user",
		"root:no-such-user-here": "there is no group",
		"root:":                  "there is no group",
		"-1":                     "is no owner",
		"1:-1":                   "is no owner",
	} {
		var got *Owner
		if err := owner(&got)([]string{value}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, error %v, want one with %q", value, got, err, want)
		}
	}
}

func TestTheSpoolDirectoryIsMadeForTheUserAndNotTakenFromAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	spool := filepath.Join(dir, "a", "b", "spool")
	load := func(spool string) *Listen {
		return mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=514", "--port=0", "--user=nobody", "--spool-dir="+spool), LookupEnv: env()})
	}
	for range 2 { // it is made, and then it is there
		c := load(spool)
		if err := c.Prepare(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(spool)
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != c.User.UID || int(st.Gid) != c.User.GID || info.Mode().Perm() != 0o700 {
			t.Errorf("it belongs to %d:%d and has mode %o", st.Uid, st.Gid, info.Mode().Perm())
		}
	}
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := load(other).Prepare(); err == nil || !strings.Contains(err.Error(), "does not belong to nobody of --user") || !strings.Contains(err.Error(), "chown -R") {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 0 {
		t.Errorf("something was put there: %v, %v", entries, err)
	}
}

func TestNamesOfCertificatesNeedCertificates(t *testing.T) {
	dir := inEmptyDir(t)
	write(t, "c.pem", "")
	for _, c := range []struct{ options, want string }{
		{"--udp-port=514 --port=0", "no client shows a certificate"},
		{"--cert=c.pem --key=c.pem", "no client shows a certificate"},
		{"--cert=c.pem --key=c.pem --client-ca=c.pem", ""},
		{"--cert=c.pem --key=c.pem --client-ca=c.pem --client-auth=request", ""},
		{"--cert=c.pem --key=c.pem --client-ca=c.pem --port=0 --dtls-port=6514", ""},
	} {
		in := flags(append(strings.Fields(c.options), "--stream=s", "--stream-name=certificate", "--spool-dir="+dir+"/s")...)
		_, err := Load(Input{Flags: in, LookupEnv: env()})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want one with %q", c.options, err, c.want)
		}
	}
	if _, err := Load(Input{Flags: flags("--stream=s", "--udp-port=514", "--stream-name=fqdn"), LookupEnv: env()}); err == nil || !strings.Contains(err.Error(), "give address, hostname, certificate, endpoint, network or listener") {
		t.Errorf("error %v", err)
	}
}
