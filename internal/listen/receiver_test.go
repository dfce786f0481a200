package listen

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// newSocketReceiver returns a receiver of a listener that does not run, and a
// sender.
func newSocketReceiver(t *testing.T, e *env) (*receiver, *net.UDPConn) {
	t.Helper()
	l, err := NewUDP(e.udp(UDPOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return newReceiver(l, l.sockets[0]), dial(t, "udp", l.Addr().String()).(*net.UDPConn)
}

func TestRunsOfDatagramsAreTakenApartExactly(t *testing.T) {
	const length, count, last = 100, 40, 37
	e := newEnv()
	r, conn := newSocketReceiver(t, e)
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, length) }); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Skipf("the kernel cuts up no datagrams (UDP_SEGMENT): %v", failed)
	}
	var want []string
	for i := range count {
		text := fmt.Sprintf("<1>%d ", i)
		size := length
		if i == count-1 {
			size = last
		}
		want = append(want, text+strings.Repeat("x", size-len(text)))
	}
	send(t, conn, strings.Join(want, ""))
	n, err := r.batch.receive(r.socket.fd)
	if err != nil {
		t.Fatal(err)
	}
	if n == count {
		t.Log("the kernel puts no datagrams together (UDP_GRO)")
	} else if n != 1 || r.batch.segment(0) != length {
		t.Errorf("%d runs, the first of datagrams of %d bytes, want one of %d", n, r.batch.segment(0), length)
	}
	r.take(context.Background(), n, 1)
	if d := cmp.Diff(want, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestControlMessagesAreFoundInAnyOrder(t *testing.T) {
	d := newDatagrams()
	d.headers[0].Len = 1000
	const size = 24 // CMSG_SPACE of 4 bytes
	for _, tt := range []struct {
		count   int
		at      [2]int // of the size of a run and of the drops, -1 for none
		segment int
		drops   uint32
	}{
		{0, [2]int{-1, -1}, 1000, 0},
		{1, [2]int{0, -1}, 300, 0},
		{1, [2]int{-1, 0}, 1000, 7},
		{2, [2]int{0, 1}, 300, 7},
		{2, [2]int{1, 0}, 300, 7},
	} {
		d.controls[0] = control{}
		d.headers[0].Hdr.SetControllen(tt.count * size)
		if i := tt.at[0]; i >= 0 {
			d.controls[0][i].header = unix.Cmsghdr{Len: 20, Level: unix.SOL_UDP, Type: unix.UDP_GRO}
			d.controls[0][i].value = 300
		}
		if i := tt.at[1]; i >= 0 {
			d.controls[0][i].header = unix.Cmsghdr{Len: 20, Level: unix.SOL_SOCKET, Type: unix.SO_RXQ_OVFL}
			d.controls[0][i].value = 7
		}
		drops, ok := d.drops(0)
		if d.segment(0) != tt.segment || drops != tt.drops || ok != (tt.drops > 0) {
			t.Errorf("%+v: runs of %d, %d drops (%v)", tt, d.segment(0), drops, ok)
		}
	}
}

func TestIdleReceiverWaitsForDatagramsAndTheBellOnly(t *testing.T) {
	r, conn := newSocketReceiver(t, newEnv())
	b, err := newBell()
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	r.waits[1].Fd = int32(b.fd)
	send(t, conn, "<1>a")
	if !r.wait() || r.patience() < 0 {
		t.Fatalf("a datagram does not end the wait, or the next one has no end: %d", r.patience())
	}
	if size, err := r.step(context.Background(), unix.MSG_DONTWAIT); err != nil || size != 4 {
		t.Fatalf("step: %d, %v", size, err)
	}
	if r.wait() || r.patience() >= 0 {
		t.Errorf("nothing came, and the next wait ends after %d ms, want none", r.patience())
	}
	b.ring()
	if r.wait() {
		t.Error("the bell was taken for a datagram")
	}
	send(t, conn, "<1>b")
	if !r.wait() {
		t.Error("a datagram does not end a wait without end")
	}
}

func TestReceiverThatWaitsForChunksLooksAtTheClock(t *testing.T) {
	e := newEnv()
	r, conn := newSocketReceiver(t, e)
	r.settled = true
	send(t, conn, chunk(1, 0, 2, "x"))
	if _, err := r.step(context.Background(), unix.MSG_DONTWAIT); err != nil {
		t.Fatal(err)
	}
	if r.patience() < 0 {
		t.Error("a message lacks a chunk, and nobody would notice that it does not come")
	}
}

func TestMessagesOfASenderStayInOrderWhileTheyGather(t *testing.T) {
	e := newEnv()
	r, conn := newSocketReceiver(t, e)
	r.gathering.state = gather
	const reads, each = 10, 50
	var want []string
	for range reads {
		for range each {
			want = append(want, fmt.Sprintf("<1>%d", len(want)))
			send(t, conn, want[len(want)-1])
		}
		if _, err := r.step(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if r.gathering.state != gather {
			t.Fatalf("state %v, want that more gather", r.gathering.state)
		}
	}
	if d := cmp.Diff(want, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestTimeBetweenReadsIsMeasuredOnlyWhileNobodyWaits(t *testing.T) {
	e := newEnv()
	r, conn := newSocketReceiver(t, e)
	gaps := func() uint64 {
		families, err := e.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "kinesyslog_udp_read_gap_seconds" {
				return f.GetMetric()[0].GetHistogram().GetSampleCount()
			}
		}
		t.Fatal("no such metric")
		return 0
	}
	step := func(want uint64, when string) {
		t.Helper()
		if _, err := r.step(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if got := gaps(); got != want {
			t.Errorf("%s: %d gaps, want %d", when, got, want)
		}
	}
	for range batchSize + 1 {
		send(t, conn, "<1>a")
	}
	step(0, "the first read follows a wait")
	step(1, "the batch was full, so the second follows at once")
	r.gathering.state = await
	send(t, conn, "<1>b")
	step(1, "the third follows a wait")
}
