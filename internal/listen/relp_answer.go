package listen

import (
	"context"
	"log/slog"
	"time"

	"kinesyslog/internal/relp"
)

const (
	// answerTimeout bounds a write of answers. Answers are small and fit into
	// the buffers of the two kernels unless a client reads none for very long.
	answerTimeout = time.Minute
	// syncRetry is how long to wait before the journal is asked again whether
	// messages are on disk that the disk has refused.
	syncRetry = 100 * time.Millisecond
	// maxIdleAnswers is how much memory for answers a session keeps.
	maxIdleAnswers = 16 << 10
)

// answer brings to disk what was committed, and tells the client, until the
// session has ended and all is said. An error means that the client has not
// heard everything.
func (s *relpSession) answer(ctx context.Context) error {
	for {
		select {
		case <-s.news:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
		upTo, oldest, ended := s.committed, s.oldest, s.ended
		s.oldest = time.Time{}
		s.mu.Unlock()
		if upTo != s.answered {
			if err := s.sync(ctx); err != nil {
				return err
			}
		}
		if err := s.tell(upTo); err != nil {
			return err
		}
		if !oldest.IsZero() {
			s.listener.told.ackSeconds.Observe(time.Since(oldest).Seconds())
		}
		if ended {
			return nil
		}
	}
}

// sync returns nil once all that was committed before the call is on disk. It
// asks again for as long as the client is there: while the disk refuses, the
// client waits.
func (s *relpSession) sync(ctx context.Context) error {
	for {
		err := s.appender.Sync(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.listener.refusedByDisk.warn(slog.String("sender", s.sender.String()), slog.Any("error", err))
		s.mu.Lock()
		ended := s.ended
		s.mu.Unlock()
		if ended {
			return err
		}
		select {
		case <-time.After(syncRetry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell answers all messages up to a number, and whatever else the client has
// asked.
func (s *relpSession) tell(upTo relp.Txnr) error {
	acknowledged, err := s.acknowledge(upTo)
	if err != nil || len(s.out) == 0 {
		return err
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(s.out); err != nil {
		s.listener.told.unacknowledged.Add(float64(acknowledged))
		return err
	}
	s.listener.told.acknowledged.Add(float64(acknowledged))
	if cap(s.out) > maxIdleAnswers {
		s.out = nil
	}
	return nil
}

// acknowledge puts the answers to all messages up to a number, and to whatever
// else the client has asked, into s.out, and returns how many messages they are
// for.
func (s *relpSession) acknowledge(upTo relp.Txnr) (messages int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages = s.protocol.Waiting()
	if upTo != s.answered {
		if err := s.protocol.Ack(upTo); err != nil {
			return 0, err
		}
		s.answered = upTo
		wake(s.room)
	}
	s.out = s.protocol.AppendOutput(s.out[:0])
	return messages - s.protocol.Waiting(), nil
}
