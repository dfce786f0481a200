package listen

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/syslog"
)

const (
	// trimInterval is how often a connection's buffer is fitted to its use.
	trimInterval = 10 * time.Second
	// drainQuiet is how long a connection must be silent at shutdown to be
	// taken as read out.
	drainQuiet = 100 * time.Millisecond
)

// stream reads the syslog messages of one TCP or TLS connection.
type stream struct {
	conn     net.Conn
	stopping func() bool // reports whether the listener shuts down
	source   *event.Source
	framer   *syslog.Framer
	appender Appender
	buf      *buffer

	onCut  func()
	onLost func(cause error)

	armed   bool // a read deadline for the next trim is set
	expired bool // the read deadline has passed
}

// run reads until the sender closes, the connection fails, or the listener
// shuts down and nothing more comes. What was read by then is in the journal,
// a last message without its ending too; if it could not be put there, onLost
// was called. The error says why the connection failed, if it did.
// ctx is done when there is no time left to wait for the journal.
func (s *stream) run(ctx context.Context) error {
	for closing := false; ; {
		stopping := s.stopping()
		if stopping && !closing {
			closing = true
			s.closeWrite()
		}
		s.setDeadline(stopping)
		if !stopping && s.stopping() {
			continue // or the deadline just set would hide the one that wakes us
		}
		n, err := s.conn.Read(s.buf.space())
		s.buf.filled(n)
		timeout := errors.Is(err, os.ErrDeadlineExceeded)
		end := err != nil && (stopping || !timeout)
		if n > 0 || end {
			if err := s.take(ctx, time.Now().UnixMicro(), end); err != nil {
				return err
			}
		}
		switch {
		case end && (timeout || errors.Is(err, io.EOF)):
			return nil
		case end:
			return err
		case timeout:
			s.buf.trim()
			s.armed, s.expired = false, true
		}
	}
}

// closeWrite tells a sender that listens for it that it should go elsewhere.
// What it sent before is still read.
func (s *stream) closeWrite() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = s.conn.SetWriteDeadline(time.Now().Add(drainQuiet))
		_ = c.CloseWrite() // a courtesy: the connection is closed in any case
	}
}

// setDeadline wakes the next Read up for the end of a drain, or for the next
// trim. A connection with a small buffer sleeps until data comes.
func (s *stream) setDeadline(stopping bool) {
	var err error
	switch {
	case stopping:
		err = s.conn.SetReadDeadline(time.Now().Add(drainQuiet))
	case s.armed:
	case s.buf.large():
		s.armed = true
		err = s.conn.SetReadDeadline(time.Now().Add(trimInterval))
	case s.expired:
		s.expired = false
		err = s.conn.SetReadDeadline(time.Time{})
	}
	_ = err // only for a closed connection: the Read that follows says it
}

// take puts all whole messages that are held into the journal.
func (s *stream) take(ctx context.Context, received int64, eof bool) error {
	added := false
	for {
		msg, used, cut, ok := s.framer.Next(s.buf.bytes(), eof)
		if ok {
			s.appender.Add(s.source, received, msg)
			added = true
			if cut {
				s.onCut()
			}
		}
		s.buf.use(used)
		if !ok {
			break
		}
	}
	if !added {
		return nil
	}
	err := s.appender.Commit(ctx, true)
	if err != nil {
		s.onLost(err)
	}
	return err
}
