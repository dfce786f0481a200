package listen

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
)

// stream reads the messages of one TCP or TLS connection.
type stream struct {
	reader
	source   *event.Source
	claims   *claims // nil: host names are not bound
	framer   framer
	appender Appender

	// lingers: a read gets all that has gathered. It is not so with TLS, where it
	// gets a record, and a pause for each would hold the sender back.
	lingers   bool
	lingering lingering

	// asGELF is asked once for the source of messages that are GELF among
	// others, with the first of them. Nil: all messages are of source's format.
	asGELF       func() *event.Source
	gelf         *event.Source
	onRecognised func()

	onCut  func()
	onLost func(cause error)
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
		n, err := s.read(stopping)
		if n > 0 || err != nil {
			now := time.Now()
			if err := s.take(ctx, now.UnixMicro(), err != nil); err != nil {
				return err
			}
			if s.lingers && err == nil && !stopping {
				time.Sleep(s.lingering.after(n, now))
			}
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
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

// take puts all whole messages that are held into the journal, but for those
// that are refused for their host names.
func (s *stream) take(ctx context.Context, received int64, eof bool) error {
	taken, added := 0, 0
	for {
		msg, used, cut, ok := s.framer.Next(s.buf.bytes(), eof)
		if ok {
			source := s.source
			if s.asGELF != nil && gelf.Looks(msg) == gelf.JSON {
				source = s.recognised()
			}
			if source, may := s.claims.judge(source, msg); may {
				s.appender.Add(source, received, msg)
				added++
			}
			taken++
			if cut {
				s.onCut()
			}
		}
		s.buf.use(used)
		if !ok {
			break
		}
	}
	s.claims.settle()
	if added > 0 {
		if err := s.appender.Commit(ctx, true); err != nil {
			s.onLost(err)
			return err
		}
	}
	if !s.buf.settle() {
		return errNoMemory
	}
	if taken > 0 && !eof {
		s.pace(ctx, taken)
	}
	return nil
}

// recognised returns the source of a message that is GELF.
func (s *stream) recognised() *event.Source {
	if s.gelf == nil {
		s.gelf = s.asGELF()
	}
	s.onRecognised()
	return s.gelf
}
