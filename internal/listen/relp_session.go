package listen

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/relp"
)

// relpSession is one connection of a RELP listener. One goroutine reads it and
// commits what comes; another brings that to disk and answers. So a client goes
// on sending while earlier messages wait for the disk, as far as its window
// and ours allow.
type relpSession struct {
	reader
	listener *RELP
	sender   netip.Addr
	source   *event.Source
	claims   *claims // nil: host names are not bound
	appender DurableAppender
	taken    int // messages by the last call of add

	mu        sync.Mutex
	protocol  *relp.Session
	opened    bool      // has been counted
	committed relp.Txnr // the last message that is in the journal; 0: none yet
	oldest    time.Time // when the first of those was read that no Sync has been called for; zero: there is none
	ended     bool      // no more will be committed

	news chan struct{} // there is something to answer
	room chan struct{} // something was answered

	answered relp.Txnr // the last message
	out      []byte
}

// errEnded says that a session has come to its end in good order.
var errEnded = errors.New("the session has ended")

// run speaks with the client until one of the two hangs up. What was answered
// by then is on disk. The error says why the connection failed, if it did. ctx
// is done when there is no time left.
func (s *relpSession) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		err := s.answer(ctx)
		if err != nil {
			cancel() // the reader may wait for room
			s.conn.Close()
		}
		answered <- err
	}()

	err := s.receive(ctx)
	switch {
	case errors.Is(err, errEnded), errors.Is(err, io.EOF):
		err = nil
		s.end(true)
	case s.misunderstood(err):
		s.end(true)
	case errors.Is(err, errIdle), errors.Is(err, errNoMemory):
		s.end(true)
	case errors.Is(err, errNotKept):
		s.end(false) // without a word of those, the client sends them again
	default:
		cancel() // nobody is left to be answered
	}
	if failed := <-answered; failed == nil {
		s.hangUp()
	} else if !errors.Is(failed, context.Canceled) {
		err = failed
	}
	s.listener.told.unacknowledged.Add(float64(s.protocol.Waiting()))
	return err
}

// receive reads until the client says close, hangs up or makes no sense, the
// journal does not take a message, or the listener shuts down.
func (s *relpSession) receive(ctx context.Context) error {
	for !s.stopping() {
		n, err := s.read(false)
		if n > 0 {
			if err := s.take(ctx, time.Now()); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return errEnded
}

// errNotKept says that the journal did not take messages.
var errNotKept = errors.New("messages were not kept")

// take commits all whole messages that are held, waiting for room in the
// journal and for answers while too many messages wait for theirs.
func (s *relpSession) take(ctx context.Context, now time.Time) error {
	for {
		last, status, err := s.add(now)
		if last != 0 {
			if err := s.appender.Commit(ctx, true); err != nil {
				s.listener.refusedByJournal.warn(slog.String("sender", s.sender.String()), slog.Any("error", err))
				return errNotKept
			}
			s.commit(last, now)
			s.pace(ctx, s.taken)
		}
		switch {
		case err != nil:
			return err
		case status == relp.Closed:
			return errEnded
		case status == relp.NeedMore:
			return nil
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.stopping() {
			return errEnded
		}
	}
}

// add gives messages to the appender until there are no more or too many wait,
// and returns the number of the last one, or 0.
func (s *relpSession) add(now time.Time) (last relp.Txnr, status relp.Status, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames, empty, received := 0, uint64(0), now.UnixMicro()
	defer func() { s.taken = frames }()
	for {
		m, used, status, err := s.protocol.Next(s.buf.bytes())
		if status != relp.Delivered {
			s.buf.use(used)
			s.claims.settle()
			s.listener.told.frames.Add(float64(frames))
			if empty > 0 {
				s.listener.ledger.Drop(s.listener.name, dropEmpty, empty, 0)
			}
			if !s.opened && s.protocol.Opened() {
				s.opened = true
				s.listener.told.sessions.Inc()
				wake(s.news) // open is answered, too
			}
			return last, status, err
		}
		frames++
		if m.Cut {
			s.listener.metrics.cut.Inc()
		}
		if source, may := s.claims.judge(s.source, m.Text); !may {
			s.protocol.Refuse("hostname is not one of the client's certificate")
		} else {
			last = m.Txnr
			if len(m.Text) == 0 {
				empty++
			} else {
				s.appender.Add(source, received, m.Text)
			}
		}
		s.buf.use(used)
	}
}

// commit notes that all messages up to last are in the journal.
func (s *relpSession) commit(last relp.Txnr, now time.Time) {
	s.mu.Lock()
	s.committed = last
	if s.oldest.IsZero() {
		s.oldest = now
	}
	s.mu.Unlock()
	wake(s.news)
}

// end says that no more will be committed. With inform the client is told, after
// the last answer.
func (s *relpSession) end(inform bool) {
	s.mu.Lock()
	s.ended = true
	if inform {
		s.protocol.Shutdown()
	}
	s.mu.Unlock()
	wake(s.news)
}

// misunderstood counts an error in the protocol, and tells whether it is one.
func (s *relpSession) misunderstood(err error) bool {
	var e *relp.ProtocolError
	if !errors.As(err, &e) {
		return false
	}
	s.listener.told.errors[e.Reason].Inc()
	s.listener.misunderstood.warn(slog.String("sender", s.sender.String()), slog.Any("error", err))
	return true
}

// lingerTime bounds how long a client may go on sending after the last word.
const lingerTime = time.Second

// hangUp lets the client read the last words. If the connection were closed
// while something is unread, the kernel would reset it, and some clients lose
// what they have not read by then.
func (s *relpSession) hangUp() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // if it fails there is nobody to read
	}
	var discard [4096]byte
	for end := time.Now().Add(lingerTime); time.Now().Before(end); {
		_ = s.conn.SetReadDeadline(time.Now().Add(drainQuiet))
		if _, err := s.conn.Read(discard[:]); err != nil {
			return
		}
	}
}

// wake says that something has changed.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
