package listen

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/event"
)

func newTestStream(conn net.Conn, j Journal) *stream {
	return &stream{
		reader:   reader{conn: conn, stopping: func() bool { return false }, buf: newBuffer(DefaultMaxMessage + 64), pace: func(context.Context, int) {}},
		source:   event.NewSource("tcp/1", "syslog", "1", "192.0.2.7"),
		framer:   newMixedFramer(DefaultMaxMessage),
		appender: j.NewAppender(),
		asGELF:   func() *event.Source { return event.NewSource("tcp/1", "gelf", "1", "192.0.2.7") },

		onRecognised: func() {},
		onCut:        func() {},
		onLost:       func(error) {},
	}
}

func TestBufferOfASilentConnectionIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		j := newFakeJournal()
		s := newTestStream(server, j)
		done := make(chan error, 1)
		go func() { done <- s.run(context.Background()) }()

		line := strings.Repeat("x", 9_999) + "\n"
		send(t, client, strings.Repeat(line, 300))
		synctest.Wait()
		if len(s.buf.b) != maxBuffer {
			t.Errorf("buffer of %d bytes for a busy connection, want %d", len(s.buf.b), maxBuffer)
		}
		send(t, client, "<1>half")
		time.Sleep(3 * trimInterval)
		synctest.Wait()
		if len(s.buf.b) != minBuffer {
			t.Errorf("buffer of %d bytes for a silent connection, want %d", len(s.buf.b), minBuffer)
		}
		time.Sleep(24 * time.Hour) // no deadline ends a connection that is silent
		send(t, client, " a message\n")
		client.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := textsOf(j.messages())
		if len(got) != 301 || got[300] != "<1>half a message" {
			t.Errorf("%d messages, want 301", len(got))
		}
	})
}

func TestReadToAddAllocatesNothing(t *testing.T) {
	s := newTestStream(nil, nullJournal{})
	data := strings.Repeat("<13>1 - - - - - - a line\n23 <13>a frame\nof two lines\n"+gelfText+"\x00"+indentedGELF+"\n", 100)
	copy(s.buf.space(), data[:minBuffer]) // to its full size first
	ctx := context.Background()
	read := func() {
		for rest := data; len(rest) > 0; {
			n := copy(s.buf.space(), rest)
			rest = rest[n:]
			s.buf.filled(n)
			if err := s.take(ctx, 1, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 10 {
		read()
	}
	if n := testing.AllocsPerRun(100, read); n != 0 {
		t.Errorf("%v allocations for 400 messages, want 0", n)
	}
}
