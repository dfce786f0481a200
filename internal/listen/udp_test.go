package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOneDatagramIsOneMessage(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{}))
	conn := dial(t, "udp", l.Addr().String())
	largest := "<1>" + strings.Repeat("line\n", 13_101)[:65_504]
	sent := []string{"<1>a\nb", "12 <1>no count", "<1>\x00\n", "\r\n", "", largest, "<1>a", "<1>" + strings.Repeat("\n", 100) + "b\r\n\x00"}
	want := []string{"<1>a\nb", "12 <1>no count", "<1>", largest, "<1>a", "<1>" + strings.Repeat("\n", 100) + "b"}
	for _, text := range sent {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if len(largest) != 65_507 {
		t.Fatalf("the largest datagram has %d bytes", len(largest))
	}
	if d := cmp.Diff(want, textsOf(e.journal.wait(t, len(want)))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if b := e.balance(t); b.Dropped["empty"] != 2 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
}

func TestLongDatagramIsCut(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{MaxMessage: 10}))
	conn := dial(t, "udp", l.Addr().String())
	send(t, conn, "<1>34567890123", "<2>4567890\r\n")
	if d := cmp.Diff([]string{"<1>3456789", "<2>4567890"}, textsOf(e.journal.wait(t, 2))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 1 {
		t.Errorf("%v messages counted as cut, want 1", n)
	}
	e.log.wait(t, "--max-message-bytes")
}

func TestManySendersAreToldApart(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Address: "0.0.0.0", Sockets: 3}))
	const senders, each = 50, 20
	for s := range senders {
		dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 1, byte(s))}}
		conn, err := dialer.Dial("udp", onPort("127.0.0.1", l.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for i := range each {
			send(t, conn, fmt.Sprintf("<1>%d %d", s, i))
		}
	}
	next := map[string]int{}
	for _, m := range e.journal.wait(t, senders*each) {
		var s, i int
		if _, err := fmt.Sscanf(m.Text, "<1>%d %d", &s, &i); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("127.0.1.%d", s); m.Sender != want {
			t.Fatalf("%q is from %s, want %s", m.Text, m.Sender, want)
		}
		if i != next[m.Sender] {
			t.Fatalf("message %d of %s came when %d was due", i, m.Sender, next[m.Sender])
		}
		next[m.Sender]++
	}
	if len(next) != senders {
		t.Errorf("%d senders, want %d", len(next), senders)
	}
}

func TestShutdownTakesDatagramsTheKernelHoldsAndCountsItsDrops(t *testing.T) {
	e := newEnv()
	l, err := NewUDP(e.udp(UDPOptions{ReceiveBuffer: 1})) // leaves the system's own size
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, "udp", l.Addr().String())
	const count = 5000
	for i := range count {
		send(t, conn, fmt.Sprintf("<1>%d %s", i, strings.Repeat("x", 300)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
	got, dropped := len(e.journal.messages()), e.balance(t).Dropped["kernel"]
	if got == 0 || dropped == 0 {
		t.Errorf("%d messages and %d drops, want some of both", got, dropped)
	}
	if got+int(dropped) != count {
		t.Errorf("%d messages and %d drops make %d, want %d", got, dropped, got+int(dropped), count)
	}
	e.log.wait(t, "dropped by the kernel")
}

func TestKernelDropsAreCountedFromDatagramsToo(t *testing.T) {
	e := newEnv()
	l, err := NewUDP(e.udp(UDPOptions{ReceiveBuffer: 1}))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn := dial(t, "udp", l.Addr().String())
	for range 2000 {
		send(t, conn, strings.Repeat("x", 300))
	}
	r := newReceiver(l, l.sockets[0])
	receive := func() bool {
		n, err := r.batch.receive(l.sockets[0].fd)
		if err == nil {
			r.take(context.Background(), n, 1)
		}
		return err == nil
	}
	receive() // makes room
	send(t, conn, "<1>after the drops")
	for receive() {
	}
	told := e.balance(t).Dropped["kernel"]
	if told == 0 {
		t.Error("no datagram told of drops")
	}
	r.bookKernelDrops()
	if all := e.balance(t).Dropped["kernel"]; all != told {
		t.Errorf("datagrams told of %d drops, the socket of %d", told, all)
	}
}

func TestDropCountWrapsAround(t *testing.T) {
	s := &socket{drops: 1<<32 - 2}
	for _, tt := range []struct {
		count uint32
		want  uint64
	}{{1<<32 - 2, 0}, {1<<32 - 1, 1}, {1<<32 - 2, 0}, {3, 4}, {3, 0}} {
		if got := s.newDrops(tt.count); got != tt.want {
			t.Errorf("count %d: %d new, want %d", tt.count, got, tt.want)
		}
	}
}

func TestRefusedDatagramsAreCounted(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{
		Address: "0.0.0.0",
		Allow:   func(ip netip.Addr) bool { return ip == netip.MustParseAddr("127.0.0.1") },
	}))
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	stranger, err := dialer.Dial("udp", onPort("127.0.0.1", l.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	send(t, stranger, "<1>forged", "<1>forged")
	send(t, dial(t, "udp", onPort("127.0.0.1", l.Addr())), "<1>a")
	if d := cmp.Diff([]message{{"127.0.0.1", "<1>a"}}, e.journal.wait(t, 1)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 2 {
		t.Errorf("%v refused, want 2", n)
	}
}

func TestJournalErrorsDoNotEndTheUDPListener(t *testing.T) {
	e := newEnv()
	e.journal.fail(errors.New("disk on fire"))
	l, _ := startUDP(t, e.udp(UDPOptions{}))
	conn := dial(t, "udp", l.Addr().String())
	send(t, conn, "<1>lost")
	e.log.wait(t, "disk on fire")
	e.journal.fail(nil)
	send(t, conn, "<1>taken")
	if d := cmp.Diff([]string{"<1>taken"}, textsOf(e.journal.wait(t, 1))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestSocketThatIsOpenAlreadyIsTakenOver(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send(t, dial(t, "udp", conn.LocalAddr().String()), "<1>sent before the start")
	file, err := conn.File()
	if err != nil {
		t.Fatal(err)
	}
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{File: file}))
	if l.Addr().String() != conn.LocalAddr().String() {
		t.Errorf("address %s, want %s", l.Addr(), conn.LocalAddr())
	}
	if d := cmp.Diff([]string{"<1>sent before the start"}, textsOf(e.journal.wait(t, 1))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}

	notASocket, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewUDP(newEnv().udp(UDPOptions{File: notASocket})); err == nil {
		t.Error("a file that is no socket was taken")
	}
}

func TestSmallReceiveBufferIsSaid(t *testing.T) {
	e := newEnv()
	l, err := NewUDP(e.udp(UDPOptions{ReceiveBuffer: 1 << 30}))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := e.metric(t, "kinesyslog_kernel_receive_buffer_bytes", "")
	if got < 1<<17 {
		t.Errorf("receive buffer of %v bytes", got)
	}
	if said := strings.Contains(e.log.String(), "sysctl -w net.core.rmem_max=1073741824"); said != (got < 2<<30) {
		t.Errorf("buffer of %v bytes, log %q", got, e.log)
	}
}

// filledReceiver returns a receiver with a batch of so many datagrams.
func filledReceiver(t testing.TB, text string) (*receiver, int) {
	t.Helper()
	e := newEnv()
	opts := e.udp(UDPOptions{})
	opts.Journal = nullJournal{}
	l, err := NewUDP(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	conn, err := net.Dial("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range batchSize {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	r := newReceiver(l, l.sockets[0])
	n, err := r.batch.receive(l.sockets[0].fd)
	if err != nil || n != batchSize {
		t.Fatalf("a full batch has %d datagrams; %v", n, err)
	}
	return r, n
}

func TestDatagramsAllocateNothing(t *testing.T) {
	r, n := filledReceiver(t, "<13>a message\n")
	ctx := context.Background()
	if allocs := testing.AllocsPerRun(100, func() { r.take(ctx, n, 1) }); allocs != 0 {
		t.Errorf("%v allocations for %d datagrams, want 0", allocs, n)
	}
	conn := dial(t, "udp", r.udp.Addr().String())
	text := []byte("<13>a message\n")
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := conn.Write(text); err != nil {
			t.Fatal(err)
		}
		if size, err := r.step(ctx, 0); err != nil || size != len(text) {
			t.Fatalf("step: %d, %v", size, err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations from the socket to the journal, want 0", allocs)
	}
}

func TestIdleSocketNoticesTheEnd(t *testing.T) {
	_, stop := startUDP(t, newEnv().udp(UDPOptions{}))
	began := time.Now()
	stop()
	if took := time.Since(began); took > 10*pollInterval {
		t.Errorf("an idle socket took %v to stop", took)
	}
}

func BenchmarkUDPBatch(b *testing.B) {
	r, n := filledReceiver(b, "<13>"+strings.Repeat("x", 252))
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; i < b.N; i += n {
		r.take(ctx, n, 1)
	}
}

func BenchmarkUDPReceive(b *testing.B) {
	r, _ := filledReceiver(b, "<13>a")
	conn, err := net.Dial("udp", r.udp.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	text := []byte("<13>" + strings.Repeat("x", 252))
	ctx := context.Background()
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += batchSize {
		b.StopTimer()
		for range batchSize {
			if _, err := conn.Write(text); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := r.step(ctx, 0); err != nil {
			b.Fatal(err)
		}
	}
}
