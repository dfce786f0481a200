package listen

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestPausesAreMadeWhereTheyBringSeveralWritesTogether(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		n    int
		gaps []time.Duration // between the ends of reads
		want []bool          // a pause after each
	}{
		{"a message now and then", 200, []time.Duration{time.Second, 50 * ms, 3 * ms}, []bool{false, false, false}},
		{"a write every 100 µs", 200, []time.Duration{time.Second, ms / 10, 4 * ms, 4*ms + ms/2}, []bool{false, true, true, true}},
		{"a write every ms", 200, []time.Duration{time.Second, ms, 4 * ms, 5 * ms}, []bool{false, true, true, true}},
		{"it ends", 200, []time.Duration{time.Second, ms, 4 * ms, time.Second, 3 * ms}, []bool{false, true, true, false, false}},
		{"two writes, then one every 10 ms", 200, []time.Duration{time.Second, ms, 10 * ms, 10 * ms}, []bool{false, true, false, false}},
		{"much at a time", lingerBelow, []time.Duration{time.Second, ms / 10, ms / 10}, []bool{false, false, false}},
	} {
		var l lingering
		now := time.Now()
		for i, gap := range c.gaps {
			now = now.Add(gap)
			if got := l.after(c.n, now) > 0; got != c.want[i] {
				t.Errorf("%s: pause after read %d is %v, want %v", c.name, i, got, c.want[i])
			}
		}
	}
	l := lingering{last: time.Now(), paused: true}
	if l.after(lingerBelow, l.last.Add(lingerPause)) > 0 {
		t.Error("a sender that became fast is not read at once")
	}
}

func TestAConnectionThatWritesOftenIsReadSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		reads := &countedReads{Conn: server}
		j := newFakeJournal()
		s := newTestStream(reads, j)
		s.lingers = true
		done := make(chan error, 1)
		go func() { done <- s.run(context.Background()) }()
		for range 100 {
			if _, err := io.WriteString(client, "<13>message\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Microsecond)
		}
		client.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(j.messages()); n != 100 {
			t.Errorf("%d messages, want 100", n)
		}
		// A net.Pipe has no buffer: each write waits for its read.
		if reads.least < lingerPause {
			t.Errorf("two reads in %v, want a pause of %v between them", reads.least, lingerPause)
		}
	})
}

// countedReads notes the shortest time between two reads, but for the first ones.
type countedReads struct {
	net.Conn
	n     int
	last  time.Time
	least time.Duration
}

func (c *countedReads) Read(b []byte) (int, error) {
	now := time.Now()
	if gap := now.Sub(c.last); c.n > 2 && (c.least == 0 || gap < c.least) {
		c.least = gap
	}
	c.n++
	c.last = now
	return c.Conn.Read(b)
}
