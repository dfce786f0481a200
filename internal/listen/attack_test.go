package listen

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// attackers is how many connections attack: fewer than in the promise (10,000
// and 5,000), as both ends are in this process.
func attackers(t *testing.T) int {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		return 100
	}
	return int(min(1000, limit.Cur/4))
}

// attack opens connections and calls f for each, and then f again and again in
// turn, ten thousand times a second at most, until the test ends.
func attack(t *testing.T, to string, f func(conn net.Conn, round int)) {
	t.Helper()
	var conns []net.Conn
	for range attackers(t) {
		conn, err := net.Dial("tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		f(conn, 0)
		conns = append(conns, conn)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for round := 1; ; round++ {
			for batch := range slices.Chunk(conns, 10) {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				for _, conn := range batch {
					f(conn, round)
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		for _, conn := range conns {
			conn.Close()
		}
	})
}

// goodSender sends messages and returns how long it took until each was in the
// journal: the median and the longest.
func goodSender(t *testing.T, e *env, dial func() net.Conn) (median, longest time.Duration) {
	t.Helper()
	conn := dial()
	before := len(e.journal.messages())
	var took []time.Duration
	for i := range 300 {
		begin := time.Now()
		send(t, conn, fmt.Sprintf("<1>good %d\n", i))
		e.journal.wait(t, before+i+1)
		took = append(took, time.Since(begin))
	}
	finish(t, conn)
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1]
}

func TestAttackersDoNotDisturbAGoodSender(t *testing.T) {
	c := testCertificate(t)
	for _, tt := range []struct {
		name   string
		tls    bool
		attack func(conn net.Conn, round int)
	}{
		{"idle connections", false, func(net.Conn, int) {}},
		{"messages that never end, byte by byte", false, func(conn net.Conn, _ int) { _, _ = io.WriteString(conn, "x") }},
		{"counts that are not kept", false, func(conn net.Conn, round int) {
			if round == 0 {
				_, _ = io.WriteString(conn, "60000 <1>")
			}
		}},
		{"handshakes that are half open", true, func(conn net.Conn, round int) {
			if round == 0 {
				_, _ = io.WriteString(conn, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
			}
		}},
		{"handshakes byte by byte", true, func(conn net.Conn, round int) { _, _ = conn.Write(clientHelloStart[round%len(clientHelloStart):][:1]) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv()
			opts := e.tcp(TCPOptions{Limits: limits(t, LimitOptions{Connections: 16 << 10, Memory: 256 << 20}), Handshake: time.Minute, Drain: time.Millisecond})
			if tt.tls {
				opts.TLS = c.server()
			}
			l, _ := startTCP(t, opts)
			good := func() net.Conn {
				conn := dial(t, "tcp", l.Addr().String())
				if tt.tls {
					return tls.Client(conn, c.client())
				}
				return conn
			}
			median, longest := goodSender(t, e, good)
			attack(t, l.Addr().String(), tt.attack)
			waitForMetric(t, e, "kinesyslog_connections", float64(attackers(t)))
			runtime.GC()
			underMedian, underLongest := goodSender(t, e, good)
			t.Logf("%d attackers: a good sender's message takes %s (longest %s), alone %s (longest %s)",
				attackers(t), underMedian, underLongest, median, longest)
			if underMedian > 20*median+20*time.Millisecond || underLongest > 5*time.Second {
				t.Errorf("a good sender's message takes %s (longest %s), alone %s (longest %s)", underMedian, underLongest, median, longest)
			}
		})
	}
}

var clientHelloStart = []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
