package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func (e *env) unix(opts UnixOptions) UnixOptions {
	opts.Journal, opts.Ledger, opts.Logger, opts.Registerer = e.journal, e.ledger, e.logger(), e.reg
	return opts
}

func startUnixDatagram(t *testing.T, opts UnixOptions) (*UnixDatagram, func()) {
	t.Helper()
	l, err := NewUnixDatagram(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

func startUnixStream(t *testing.T, opts UnixOptions) (*UnixStream, func()) {
	t.Helper()
	l, err := NewUnixStream(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

func socketIn(t *testing.T) string { return filepath.Join(t.TempDir(), "log") }

// here makes messages of this host.
func here(texts ...string) (out []message) {
	for _, text := range texts {
		out = append(out, message{localName(), text})
	}
	return out
}

func TestOneUnixDatagramIsOneMessage(t *testing.T) {
	e, path := newEnv(), socketIn(t)
	e.journal.books = e.ledger
	l, _ := startUnixDatagram(t, e.unix(UnixOptions{Path: path, MaxMessage: 1000}))
	conn := dial(t, "unixgram", path)
	long := "<1>" + strings.Repeat("x", 5000)
	object := `{"version":"1.1","host":"a","short_message":"b"}`
	send(t, conn, "<1>a\nb\n", "5 <1>a", "\n", object, long, "<1>"+strings.Repeat("y", 997)+"\r\n", "<1>last\x00")
	want := here("<1>a\nb", "5 <1>a", object, long[:1000], "<1>"+strings.Repeat("y", 997), "<1>last")
	if d := cmp.Diff(want, e.journal.wait(t, len(want))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if got := e.journal.ofFormat("gelf"); len(got) != 1 || got[0] != object {
		t.Errorf("as GELF came %q", got)
	}
	if b := e.balance(t); b.Listener != "unix:"+path || l.Name() != b.Listener || b.Dropped["empty"] != 1 || b.Difference() != 0 {
		t.Errorf("ledger of %s: %+v", l.Name(), b)
	}
	if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 1 {
		t.Errorf("%v messages counted as cut, want 1", n)
	}
	e.log.wait(t, "--max-message-bytes")
}

func TestUnixStreamTakesAllFramings(t *testing.T) {
	e, path := newEnv(), socketIn(t)
	startUnixStream(t, e.unix(UnixOptions{Path: path}))
	conn := dial(t, "unix", path)
	send(t, conn, "<1>line\n6 <2>oct", "<5>NUL\x00", "<6>last line without its ending")
	finish(t, conn)
	if d := cmp.Diff(here("<1>line", "<2>oct", "<5>NUL", "<6>last line without its ending"), e.journal.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	for _, src := range e.journal.sources {
		if src.Listener != "unix:"+path || src.Format != "syslog" || src.Port != "unix" {
			t.Errorf("source is %+v", src)
		}
	}
}

func TestUnixSendersWaitWhileTheJournalIsFull(t *testing.T) {
	e, path := newEnv(), socketIn(t)
	e.journal.gate = make(chan struct{})
	startUnixDatagram(t, e.unix(UnixOptions{Path: path}))
	conn := dial(t, "unixgram", path)
	const count = 5000 // many more than the kernel queues
	sent := make(chan error, 1)
	go func() {
		for i := range count {
			if _, err := fmt.Fprintf(conn, "<1>%d", i); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	select {
	case err := <-sent:
		t.Fatalf("%d datagrams were taken while the journal was full: %v", count, err)
	case <-afterQueueIsFull(t, path):
	}
	close(e.journal.gate)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for i, m := range e.journal.wait(t, count) {
		if m.Text != fmt.Sprintf("<1>%d", i) {
			t.Fatalf("message %d is %q", i, m.Text)
		}
	}
}

// afterQueueIsFull is closed when the socket takes no more.
func afterQueueIsFull(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	full, probe := make(chan struct{}), dial(t, "unixgram", path)
	raw, err := probe.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(full)
		for isFull := false; !isFull; {
			if raw.Control(func(fd uintptr) { isFull = !writable(int(fd)) }) != nil {
				return
			}
		}
	}()
	return full
}

func TestUnixShutdownReadsWhatTheKernelHolds(t *testing.T) {
	e, path := newEnv(), socketIn(t)
	l, err := NewUnixDatagram(e.unix(UnixOptions{Path: path}))
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, "unixgram", path)
	const count = 8 // the kernel queues ten
	for i := range count {
		send(t, conn, fmt.Sprintf("<1>%d", i))
	}
	stop := start(t, l)
	stop()
	if got := e.journal.messages(); len(got) != count {
		t.Errorf("%d messages, want %d", len(got), count)
	}
}

func TestUnixSocketIsRemovedAtTheEndAndHasItsMode(t *testing.T) {
	for network, begin := range map[string]func(*testing.T, UnixOptions) func(){
		"unixgram": func(t *testing.T, o UnixOptions) func() { _, stop := startUnixDatagram(t, o); return stop },
		"unix":     func(t *testing.T, o UnixOptions) func() { _, stop := startUnixStream(t, o); return stop },
	} {
		for mode, want := range map[fs.FileMode]fs.FileMode{0: 0o666, 0o620: 0o620} {
			path := socketIn(t)
			stop := begin(t, newEnv().unix(UnixOptions{Path: path, Mode: mode}))
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != want {
				t.Errorf("%s: mode is %o, want %o", network, info.Mode().Perm(), want)
			}
			stop()
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: the socket is there after the end: %v", network, err)
			}
		}
	}
}

func TestUnixSocketIsGivenAwayBeforeAnybodyMaySend(t *testing.T) {
	path, refusal := socketIn(t), errors.New("no")
	given := ""
	l, err := NewUnixDatagram(newEnv().unix(UnixOptions{Path: path, Mode: 0o660, Owner: func(p string) error { given = p; return nil }}))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if given != path {
		t.Errorf("%q was given away, want %q", given, path)
	}
	if _, err := NewUnixStream(newEnv().unix(UnixOptions{Path: socketIn(t), Owner: func(string) error { return refusal }})); !errors.Is(err, refusal) {
		t.Errorf("error %v", err)
	}
}

func TestOnlyASocketThatNobodyListensOnIsReplaced(t *testing.T) {
	for _, network := range []string{"unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			listen := func(path string) error {
				opts := newEnv().unix(UnixOptions{Path: path})
				var l interface{ Close() error }
				var err error
				if network == "unix" {
					l, err = NewUnixStream(opts)
				} else {
					l, err = NewUnixDatagram(opts)
				}
				if err == nil {
					l.Close()
				}
				return err
			}
			stale := socketIn(t)
			left, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			left.SetUnlinkOnClose(false)
			if err := listen(stale); err == nil || !strings.Contains(err.Error(), "another program listens there") {
				t.Errorf("a socket that is in use: %v", err)
			}
			left.Close()
			if err := listen(stale); err != nil {
				t.Errorf("a stale socket: %v", err)
			}
			file := socketIn(t)
			if err := os.WriteFile(file, []byte("evidence"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := listen(file); err == nil || !strings.Contains(err.Error(), "something else than a socket") {
				t.Errorf("a file: %v", err)
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != "evidence" {
				t.Errorf("the file has %q now: %v", b, err)
			}
			if err := listen(filepath.Join(t.TempDir(), "none", "log")); err == nil || !strings.Contains(err.Error(), "make its directory first") {
				t.Errorf("no directory: %v", err)
			}
			if err := listen("/" + strings.Repeat("x", 107)); err == nil || !strings.Contains(err.Error(), "107 are possible") {
				t.Errorf("a long path: %v", err)
			}
		})
	}
}

func writable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 1)
	return err == nil && n > 0 && fds[0].Revents&unix.POLLOUT != 0
}
