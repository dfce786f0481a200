package listen

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// sampleInterval is how often one kind of event is logged at most, so that
// nobody can fill the log from outside.
const sampleInterval = 10 * time.Second

// sampled logs one kind of event, at most once an interval, with the number of
// those that were left out. It may be used from many goroutines.
type sampled struct {
	log     *slog.Logger
	message string

	mu      sync.Mutex
	next    time.Time
	omitted int
}

func newSampled(log *slog.Logger, message string) *sampled {
	return &sampled{log: log, message: message}
}

func (s *sampled) warn(attrs ...slog.Attr) {
	now := time.Now()
	s.mu.Lock()
	if now.Before(s.next) {
		s.omitted++
		s.mu.Unlock()
		return
	}
	if s.omitted > 0 {
		attrs = append(attrs, slog.Int("more_like_this", s.omitted))
	}
	s.omitted = 0
	s.next = now.Add(sampleInterval)
	s.mu.Unlock()
	s.log.LogAttrs(context.Background(), slog.LevelWarn, s.message, attrs...)
}
