package listen

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func limits(t *testing.T, opts LimitOptions) *Limits {
	t.Helper()
	l, err := NewLimits(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dialFrom connects from an address of the loopback network.
func dialFrom(t *testing.T, network, ip string, to net.Addr) net.Conn {
	t.Helper()
	var local net.Addr = &net.TCPAddr{IP: net.ParseIP(ip)}
	if network == "udp" {
		local = &net.UDPAddr{IP: net.ParseIP(ip)}
	}
	conn, err := (&net.Dialer{LocalAddr: local}).Dial(network, onPort("127.0.0.1", to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestConnectionsOfAllListenersCountTogether(t *testing.T) {
	e, l := newEnv(), limits(t, LimitOptions{Connections: 1})
	tcp, _ := startTCP(t, e.tcp(TCPOptions{Limits: l}))
	path := socketIn(t)
	_, stop := startUnixStream(t, newEnv().unix(UnixOptions{Path: path, Limits: l}))
	first := dial(t, "unix", path)
	send(t, first, "<1>a")
	for l.open.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := dial(t, "tcp", tcp.Addr().String()).Read(make([]byte, 1)); err == nil {
		t.Error("a second connection was served")
	}
	finish(t, first)
	stop()
	if n := l.open.Load(); n != 0 {
		t.Errorf("%d connections are counted after the end", n)
	}
	e.log.wait(t, "raise --max-connections")
}

func TestConnectionsOfOneSenderAreLimited(t *testing.T) {
	e, l := newEnv(), limits(t, LimitOptions{ConnectionsPerAddress: 2})
	tcp, _ := startTCP(t, e.tcp(TCPOptions{Address: "0.0.0.0", Limits: l}))
	var conns []net.Conn
	for i := range 2 {
		conns = append(conns, dialFrom(t, "tcp", "127.0.0.2", tcp.Addr()))
		send(t, conns[i], "<1>a\n")
		e.journal.wait(t, i+1)
	}
	if _, err := dialFrom(t, "tcp", "127.0.0.2", tcp.Addr()).Read(make([]byte, 1)); err == nil {
		t.Error("a third connection of the sender was served")
	}
	other := dialFrom(t, "tcp", "127.0.0.3", tcp.Addr())
	send(t, other, "<1>b")
	finish(t, other)
	if n := e.metric(t, "kinesyslog_refused_total", "connections_of_address"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
	for _, conn := range conns {
		finish(t, conn)
	}
	waitForMetric(t, e, "kinesyslog_connections", 0)
	if len(l.from) != 0 {
		t.Errorf("%v is counted after the end", l.from)
	}
}

func TestRateIsThatOfTheBucket(t *testing.T) {
	r := newRates[netip.Addr](10)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	now := time.Hour
	admitted := func(ip netip.Addr, n int) (out int) {
		for range n {
			if r.ahead(ip, now, 1, true) == 0 {
				out++
			}
		}
		return out
	}
	if n := admitted(a, 100); n != 10 {
		t.Errorf("%d at once, want 10", n)
	}
	if n := admitted(b, 100); n != 10 {
		t.Errorf("%d of another sender, want 10", n)
	}
	now += 500 * time.Millisecond
	if n := admitted(a, 100); n != 5 {
		t.Errorf("%d after half a second, want 5", n)
	}
	now += time.Hour
	if n := admitted(a, 100); n != 10 {
		t.Errorf("%d after an hour, want 10", n)
	}
	if wait := r.ahead(b, now, 40, false); wait != 3*time.Second {
		t.Errorf("after 40 at once the wait is %s, want 3s", wait)
	}
}

func TestManySendersAreForgottenNotThoseThatSend(t *testing.T) {
	r := newRates[netip.Addr](1)
	r.most = 100
	now, busy := time.Hour, netip.MustParseAddr("192.0.2.1")
	if r.ahead(busy, now, 1, true) != 0 {
		t.Fatal("the first message was refused")
	}
	for i := range 100_000 {
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		r.ahead(ip, now, 1, true)
		if i%50 == 0 && r.ahead(busy, now, 1, true) == 0 {
			r.ahead(busy, now, 1, false) // keeps it in the books, ahead of its rate
		}
		if n := len(r.recent) + len(r.older); n > 202 {
			t.Fatalf("%d senders are remembered", n)
		}
	}
	if r.ahead(busy, now, 1, true) == 0 {
		t.Error("a sender that goes on was forgotten")
	}
}

func TestDatagramsOverTheRateAreDroppedAndCounted(t *testing.T) {
	e := newEnv()
	e.journal.books = e.ledger
	l, _ := startUDP(t, e.udp(UDPOptions{Address: "0.0.0.0", Limits: limits(t, LimitOptions{Rate: 5})}))
	flood := dialFrom(t, "udp", "127.0.0.2", l.Addr())
	const count = 200
	for i := range count {
		send(t, flood, fmt.Sprintf("<1>%d", i))
	}
	send(t, dialFrom(t, "udp", "127.0.0.3", l.Addr()), "<1>good")
	for e.balance(t).Received < count+1 {
		time.Sleep(time.Millisecond)
	}
	came := map[string]int{}
	for _, m := range e.journal.messages() {
		came[m.Sender]++
	}
	// Those that were read later than the first may find some room again.
	if came["127.0.0.3"] != 1 || came["127.0.0.2"] < 5 || came["127.0.0.2"] > count/2 {
		t.Errorf("messages by sender: %v", came)
	}
	if b := e.balance(t); b.Dropped["rate"] != uint64(count-came["127.0.0.2"]) || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
	e.log.wait(t, "--rate-limit")
}

func TestConnectionsOverTheRateAreReadSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		j, l := newFakeJournal(), limits(t, LimitOptions{Rate: 10})
		s := newTestStream(server, j)
		sender := netip.MustParseAddr("192.0.2.7")
		s.pace = func(ctx context.Context, n int) { l.pace(ctx, sender, n, func() bool { return false }) }
		done := make(chan error, 1)
		go func() { done <- s.run(context.Background()) }()
		begin := time.Now()
		for i := range 110 {
			send(t, client, fmt.Sprintf("<1>%d\n", i))
		}
		client.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		// Ten at once, then ten a second.
		if took := time.Since(begin); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("110 messages took %s, want about 10s", took)
		}
		if n := len(j.messages()); n != 110 {
			t.Errorf("%d messages, want 110", n)
		}
	})
}

func TestRELPOverTheRateIsAnsweredSlowly(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{Limits: limits(t, LimitOptions{Rate: 100})})
	client := dialRELP(t, l)
	begin := time.Now()
	for i := range 120 {
		client.send("<1>a")
		client.expect(fmt.Sprintf("%d rsp 200 OK", i+2))
	}
	if took := time.Since(begin); took < 150*time.Millisecond {
		t.Errorf("120 messages took %s with 100 a second", took)
	}
	if n := e.metric(t, "kinesyslog_rate_limited_reads_total", ""); n == 0 {
		t.Error("no read is counted")
	}
}

func TestWhoeverConnectsAgainForEachMessageIsHeldBackToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, sender, never := limits(t, LimitOptions{Rate: 10}), netip.MustParseAddr("192.0.2.7"), func() bool { return false }
		ctx, begin := context.Background(), time.Now()
		for range 10 {
			l.pace(ctx, sender, 0, never)
			l.rates.ahead(sender, time.Since(l.rates.begin), 10, false)
		}
		if took := time.Since(begin); took != 8*time.Second {
			t.Errorf("ten connections of ten messages took %s, want 8s: what came at first, and on the last, is not waited for", took)
		}
		stopping, cancel := context.WithCancel(ctx)
		cancel()
		begin = time.Now()
		l.pace(stopping, sender, 1000, never)
		l.pace(ctx, sender, 1000, func() bool { return true })
		if took := time.Since(begin); took != 0 {
			t.Errorf("%s of waiting at shutdown", took)
		}
	})
}

func TestIdleConnectionsAreClosedIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		j := newFakeJournal()
		s := newTestStream(server, j)
		s.idle, s.heard = time.Minute, time.Now()
		takes := 0
		s.pace = func(context.Context, int) {
			if takes++; takes == 5 { // a sender that waits for us is not idle
				time.Sleep(time.Hour)
			}
		}
		done := make(chan error, 1)
		go func() { done <- s.run(context.Background()) }()
		send(t, client, strings.Repeat("x", 9000), "\n") // so that the buffer is trimmed, too
		for range 3 {
			time.Sleep(59 * time.Second)
			send(t, client, "<1>a\n")
		}
		send(t, client, "<1>b\n")
		send(t, client, "<1>half a message")
		begin := time.Now()
		if err := <-done; err != errIdle {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("it ended after %s of silence, want a minute", took)
		}
		if got := textsOf(j.messages()); len(got) != 6 || got[5] != "<1>half a message" {
			t.Errorf("messages are %.100q", got)
		}
	})
}

func TestIdleRELPClientIsTold(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{Idle: 50 * time.Millisecond})
	dialRELP(t, l).expect(serverClose, "closed")
	e.log.wait(t, "--idle-timeout")
	if n := e.metric(t, "kinesyslog_connections_closed_total", "idle"); n != 1 {
		t.Errorf("%v counted, want 1", n)
	}
}

func TestMemoryOfConnectionsIsBounded(t *testing.T) {
	e, l := newEnv(), limits(t, LimitOptions{Memory: 1 << 20})
	tcp, _ := startTCP(t, e.tcp(TCPOptions{Limits: l}))
	// Each holds 60,000 bytes of a message that is not whole: 124 KiB.
	half := "<1>" + strings.Repeat("x", 60_000)
	for range 20 {
		_, _ = io.WriteString(dial(t, "tcp", tcp.Addr().String()), half) // some are closed by then
	}
	e.log.wait(t, "raise --max-connection-memory")
	if n := e.metric(t, "kinesyslog_connections_closed_total", "memory"); n == 0 {
		t.Error("no connection was closed")
	}
	good := dial(t, "tcp", tcp.Addr().String())
	send(t, good, "<1>good\n", "<2>"+strings.Repeat("y", 3000)+"\n")
	finish(t, good)
	var got []string
	for _, m := range e.journal.messages() {
		if !strings.HasPrefix(m.Text, "<1>x") && !strings.HasPrefix(m.Text, "x") {
			got = append(got, m.Text)
		}
	}
	if d := cmp.Diff([]string{"<1>good", "<2>" + strings.Repeat("y", 3000)}, got); d != "" {
		t.Errorf("messages of the good sender (-want +got):\n%s", d)
	}
	if used := l.memory.Load(); used > 1<<20 {
		t.Errorf("%d bytes are used, want %d at most", used, 1<<20)
	}
}

func TestMemoryOfConnectionsIsGivenBack(t *testing.T) {
	e, l := newEnv(), limits(t, LimitOptions{Memory: 64 << 20})
	tcp, stop := startTCP(t, e.tcp(TCPOptions{Limits: l}))
	for range 5 {
		conn := dial(t, "tcp", tcp.Addr().String())
		send(t, conn, strings.Repeat(strings.Repeat("x", 999)+"\n", 3000), strings.Repeat("y", 60_000))
	}
	e.journal.wait(t, 5*3000)
	for end := time.Now().Add(patience); l.memory.Load() < 5*60_000; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes are used for 5 messages of 60,000 that are not whole", l.memory.Load())
		}
	}
	stop()
	if n := l.memory.Load(); n != 0 {
		t.Errorf("%d bytes are used after the end", n)
	}
	if n := len(tcp.lender.free); n != cap(tcp.lender.free) {
		t.Errorf("%d pieces of the lender are free after the end, want %d", n, cap(tcp.lender.free))
	}
}
