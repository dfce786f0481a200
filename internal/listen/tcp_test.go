package listen

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTCPTakesAllFramings(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, "<1>line\n6 <2>oct", "<3>CR LF\r\n8 <4>a\nb\n\n<5>NUL\x00", "<6>last line without its ending")
	finish(t, conn)
	want := []message{}
	for _, text := range []string{"<1>line", "<2>oct", "<3>CR LF", "<4>a\nb\n\n", "<5>NUL", "<6>last line without its ending"} {
		want = append(want, message{"127.0.0.1", text})
	}
	if d := cmp.Diff(want, e.journal.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	port := l.Addr().(*net.TCPAddr).Port
	for _, src := range e.journal.sources {
		if src.Listener != fmt.Sprintf("tcp/%d", port) || src.Format != "syslog" || src.Port != fmt.Sprint(port) {
			t.Errorf("source is %+v", src)
		}
	}
	if l.Name() != e.balance(t).Listener {
		t.Errorf("account of %s, the listener is %s", e.balance(t).Listener, l.Name())
	}
	if n := e.metric(t, "kinesyslog_connections_total", ""); n != 1 {
		t.Errorf("%v connections counted, want 1", n)
	}
}

func TestTCPCutsOverlongMessages(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{MaxMessage: 1000}))
	conn := dial(t, "tcp", l.Addr().String())
	long := "<1>" + strings.Repeat("x", 3_000_000)
	send(t, conn, long, "\n<2>a\n", fmt.Sprintf("%d %s", len(long), long), "<3>b\n")
	finish(t, conn)
	if d := cmp.Diff([]string{long[:1000], "<2>a", long[:1000], "<3>b"}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 2 {
		t.Errorf("%v messages counted as cut, want 2", n)
	}
	e.log.wait(t, "--max-message-bytes")
}

func TestEveryAddressFamilyWorks(t *testing.T) {
	needIPv6(t)
	certificate := testCertificate(t)
	for _, tt := range []struct{ bind, to, sender string }{
		{"0.0.0.0", "127.0.0.1", "127.0.0.1"},
		{"::1", "::1", "::1"},
		{"::", "::1", "::1"},
		{"::", "127.0.0.1", "127.0.0.1"},
		{"localhost", "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(tt.bind+" from "+tt.to, func(t *testing.T) {
			want := []message{{tt.sender, "<1>a"}}
			e := newEnv()
			tcp, _ := startTCP(t, e.tcp(TCPOptions{Address: tt.bind}))
			conn := dial(t, "tcp", onPort(tt.to, tcp.Addr()))
			send(t, conn, "<1>a\n")
			finish(t, conn)
			if d := cmp.Diff(want, e.journal.messages()); d != "" {
				t.Errorf("TCP (-want +got):\n%s", d)
			}
			e = newEnv()
			secure, _ := startTCP(t, e.tcp(TCPOptions{Address: tt.bind, TLS: certificate.server()}))
			conn = dialTLS(t, onPort(tt.to, secure.Addr()), certificate.client())
			send(t, conn, "<1>a\n")
			finish(t, conn)
			if d := cmp.Diff(want, e.journal.messages()); d != "" {
				t.Errorf("TLS (-want +got):\n%s", d)
			}
			e = newEnv()
			udp, _ := startUDP(t, e.udp(UDPOptions{Address: tt.bind, Sockets: 2}))
			send(t, dial(t, "udp", onPort(tt.to, udp.Addr())), "<1>a\n")
			if d := cmp.Diff(want, e.journal.wait(t, 1)); d != "" {
				t.Errorf("UDP (-want +got):\n%s", d)
			}
		})
	}
}

func TestIPv4ListenerTakesNoIPv6(t *testing.T) {
	needIPv6(t)
	l, _ := startTCP(t, newEnv().tcp(TCPOptions{Address: "0.0.0.0"}))
	if conn, err := net.Dial("tcp", onPort("::1", l.Addr())); err == nil {
		conn.Close()
		t.Error("0.0.0.0 was reached over IPv6")
	}
}

func TestSenderWaitsWhileTheJournalIsFull(t *testing.T) {
	e := newEnv()
	e.journal.gate = make(chan struct{})
	l, _ := startTCP(t, e.tcp(TCPOptions{}))
	conn := dial(t, "tcp", l.Addr().String())
	line := strings.Repeat("x", 999) + "\n"
	data := strings.Repeat(line, 64<<10)
	if err := conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := io.WriteString(conn, data)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("64 MiB were taken while the journal was full: %d, %v", n, err)
	}
	if got := e.journal.messages(); len(got) != 0 {
		t.Errorf("%d messages in a full journal", len(got))
	}
	close(e.journal.gate)
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	rest := min((n/len(line)+100)*len(line), len(data))
	send(t, conn, data[n:rest])
	finish(t, conn)
	if got := e.journal.messages(); len(got) != rest/len(line) {
		t.Errorf("%d messages after the journal had room again, want %d", len(got), rest/len(line))
	}
}

func TestShutdownReadsWhatTheKernelHolds(t *testing.T) {
	e := newEnv()
	e.journal.gate = make(chan struct{})
	l, stop := startTCP(t, e.tcp(TCPOptions{}))
	conn := dial(t, "tcp", l.Addr().String())
	const count = 10_000 // fits into the socket's buffers
	for i := range count {
		send(t, conn, fmt.Sprintf("<1>message %d\n", i))
	}
	send(t, conn, "<1>half a mess")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	// The reader is held up by the journal until the shutdown has begun: until
	// nobody can connect any more.
	for {
		probe, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		probe.Close()
	}
	close(e.journal.gate)
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Error(err)
	}
	<-stopped
	got := textsOf(e.journal.messages())
	if len(got) != count+1 || got[count] != "<1>half a mess" {
		t.Errorf("%d messages at shutdown, want %d", len(got), count+1)
	}
}

func TestShutdownWaitsNoLongerThanAllowed(t *testing.T) {
	e := newEnv()
	e.journal.gate = make(chan struct{})
	l, stop := startTCP(t, e.tcp(TCPOptions{Drain: 50 * time.Millisecond}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, "<1>a\n<2>bcd\n")
	for e.metric(t, "kinesyslog_connections", "") == 0 {
		runtime.Gosched()
	}
	stop()
	if n := e.metric(t, "kinesyslog_connections", ""); n != 0 {
		t.Errorf("%v connections after Run", n)
	}
}

func TestConnectionEndsIfTheJournalFails(t *testing.T) {
	e := newEnv()
	e.journal.fail(errors.New("disk on fire"))
	l, _ := startTCP(t, e.tcp(TCPOptions{}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, "<1>a\n")
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open: %v", err)
	}
	e.log.wait(t, "disk on fire")
	if b := e.balance(t); b.Received != 0 {
		t.Errorf("the journal counts what it drops, the listener counted it too: %+v", b)
	}
}

func TestRefusedSendersAreClosedAndCounted(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{
		Address: "0.0.0.0",
		Allow:   func(ip netip.Addr) bool { return ip == netip.MustParseAddr("127.0.0.1") },
	}))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	stranger, err := dialer.Dial("tcp", onPort("127.0.0.1", l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if n, err := stranger.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the stranger was not closed: %d, %v", n, err)
	}
	friend := dial(t, "tcp", onPort("127.0.0.1", l.Addr()))
	send(t, friend, "<1>a\n")
	finish(t, friend)
	if d := cmp.Diff([]message{{"127.0.0.1", "<1>a"}}, e.journal.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{Limits: limits(t, LimitOptions{Connections: 2})}))
	var conns []net.Conn
	for i := range 2 {
		conns = append(conns, dial(t, "tcp", l.Addr().String()))
		send(t, conns[i], "<1>a\n")
		e.journal.wait(t, i+1)
	}
	third := dial(t, "tcp", l.Addr().String())
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection was served")
	}
	if n := e.metric(t, "kinesyslog_refused_total", "connections"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
	finish(t, conns[0])
	// The place is free a moment after the connection was closed.
	for end := time.Now().Add(patience); ; {
		if time.Now().After(end) {
			t.Fatal("no connection was served after another one had ended")
		}
		again := dial(t, "tcp", l.Addr().String())
		if _, err := io.WriteString(again, "<2>b"); err != nil {
			continue
		}
		if err := again.(*net.TCPConn).CloseWrite(); err != nil {
			continue
		}
		if _, err := io.Copy(io.Discard, again); err == nil && len(e.journal.messages()) == 3 {
			break
		}
	}
}

// flakyListener fails a few times before it accepts.
type flakyListener struct {
	net.Listener
	errs []error
}

func (f *flakyListener) Accept() (net.Conn, error) {
	if len(f.errs) > 0 {
		err := f.errs[0]
		f.errs = f.errs[1:]
		return nil, err
	}
	return f.Listener.Accept()
}

func TestAcceptErrorsDoNotEndTheListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{Listener: &flakyListener{ln, []error{syscall.EMFILE, syscall.ECONNABORTED}}}))
	conn := dial(t, "tcp", ln.Addr().String())
	send(t, conn, "<1>a\n")
	finish(t, conn)
	if got := e.journal.messages(); len(got) != 1 {
		t.Errorf("%d messages, want 1", len(got))
	}
	if n := e.metric(t, "kinesyslog_accept_errors_total", ""); n != 2 {
		t.Errorf("%v errors counted, want 2", n)
	}
	if n := strings.Count(e.log.String(), "could not be accepted"); n != 1 {
		t.Errorf("%d lines in the log for two errors in a row, want 1", n)
	}
	if l.Name() != "tcp/"+fmt.Sprint(ln.Addr().(*net.TCPAddr).Port) {
		t.Errorf("a listener that was open already is named %s", l.Name())
	}
}

func TestOtherSocketsAreNotTakenOver(t *testing.T) {
	ln, err := net.Listen("unix", t.TempDir()+"/socket")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTCP(newEnv().tcp(TCPOptions{Listener: ln})); err == nil || !strings.Contains(err.Error(), "not a TCP socket") {
		t.Errorf("a Unix socket as TCP listener: %v", err)
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	e := newEnv()
	l, stopTCP := startTCP(t, e.tcp(TCPOptions{}))
	_, stopUDP := startUDP(t, newEnv().udp(UDPOptions{Sockets: 3}))
	for i := range 20 {
		conn := dial(t, "tcp", l.Addr().String())
		send(t, conn, "<1>a\n")
		e.journal.wait(t, i+1)
	}
	stopTCP()
	stopUDP()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

func TestIdleConnectionsCostLittle(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{}))
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	const count = 400
	before := used()
	for range count {
		send(t, dial(t, "tcp", l.Addr().String()), "<1>a\n")
	}
	e.journal.wait(t, count)
	// 200 MiB for 10,000 are 20 KiB for each; here both ends count.
	if each := (int64(used()) - int64(before)) / count; each > 20<<10 {
		t.Errorf("an idle connection costs %d bytes, want 20 KiB at most", each)
	} else {
		t.Logf("an idle connection costs %d bytes with its client", each)
	}
}
