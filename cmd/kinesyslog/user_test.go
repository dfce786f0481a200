package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kinesyslog/internal/privilege"
)

// TestRootIsGivenUpInAllThreadsOnceEverythingIsBound starts the program as root,
// with a certificate that only root can read, twice on the same directory.
func TestRootIsGivenUpInAllThreadsOnceEverythingIsBound(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give root up")
	}
	nobody, err := privilege.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "user") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	crt, key, spool := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key"), filepath.Join(dir, "lib", "spool")
	if out, err := exec.Command("kinesyslog", "cert", "--cert", crt, "--key", key).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	aws := newStream(t)
	tcp, tls := freePort(t), freePort(t)
	v := newVictim(t, aws, spool, "--tcp-port", tcp, "--port", tls, "--cert", crt, "--key", key, "--user", "nobody", "--flush-interval", "200ms")
	for round := range 2 {
		v.start()
		groups := strings.Trim(fmt.Sprint(nobody.Groups), "[]")
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", v.cmd.Process.Pid))
		if err != nil || len(tasks) < 2 {
			t.Fatalf("%d threads: %v", len(tasks), err)
		}
		for _, task := range tasks {
			checkStatus(t, task, map[string]string{
				"Uid": strings.Repeat(fmt.Sprint(nobody.UID, " "), 4), "Gid": strings.Repeat(fmt.Sprint(nobody.GID, " "), 4), "Groups": groups,
				"CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapAmb": "0000000000000000",
			})
		}
		conn, err := net.Dial("tcp", "127.0.0.1:"+tcp)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "<13>1 - - - - - - of round %d\n", round)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil { // it has been read to its end
			t.Fatal(err)
		}
		conn.Close()
		v.stop()
	}
	if log := v.said(); !strings.Contains(log, "cannot be read again") || !strings.Contains(log, key) {
		t.Errorf("nothing is said of the key that cannot be reread:\n%s", log)
	}
	if err := filepath.WalkDir(spool, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && int(info.Sys().(*syscall.Stat_t).Uid) != nobody.UID {
			t.Errorf("%s does not belong to nobody", path)
		}
		if path == spool && info.Mode().Perm() != 0o700 {
			t.Errorf("the spool directory has mode %o", info.Mode().Perm())
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	came := map[string]int{}
	aws.delivered(func(_, message string) { came[message]++ })
	for round := range 2 {
		if want := fmt.Sprintf("<13>1 - - - - - - of round %d", round); came[want] != 1 {
			t.Errorf("%q came %d times", want, came[want])
		}
	}
}

// checkStatus compares lines of /proc/…/status, fields parted by spaces.
func checkStatus(t *testing.T, file string, want map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // the thread has ended
	} else if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if w, ok := want[name]; ok {
			found++
			if got := strings.Join(strings.Fields(value), " "); got != strings.TrimSpace(w) {
				t.Errorf("%s: %s is %q, want %q", file, name, got, w)
			}
		}
	}
	if found != len(want) {
		t.Errorf("%s: %d of %d lines", file, found, len(want))
	}
}

func TestAUserThatCannotBeTakenStopsTheStartWithItsReason(t *testing.T) {
	dir := t.TempDir()
	run := func(options ...string) string {
		cmd := exec.Command("kinesyslog", append([]string{"listen", "--local", filepath.Join(dir, "d"), "--spool-dir", filepath.Join(dir, "s"), "--port", "0", "--udp-port", freePort(t)}, options...)...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%v: it has started", options)
		}
		return string(out)
	}
	if out := run("--user", "no-such-user-here"); !strings.Contains(out, `there is no user "no-such-user-here"`) {
		t.Error(out)
	}
	if os.Geteuid() != 0 {
		if out := run("--user", "nobody"); !strings.Contains(out, "start it as root") {
			t.Error(out)
		}
		return
	}
	if err := os.Mkdir(filepath.Join(dir, "s"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out := run("--user", "nobody"); !strings.Contains(out, "does not belong to nobody") {
		t.Error(out)
	}
}
