package relay

import (
	"context"
	"log/slog"
	"time"
)

const (
	// intakeEvery is how often it is looked at whether messages are taken in.
	intakeEvery = time.Second
	// intakeInterval is how often the log tells at most that they are not: at the
	// limit intake stops and goes on many times.
	intakeInterval = time.Minute
)

// intakeLog tells when messages are not taken in for want of disk, and when they
// are again.
type intakeLog struct {
	why func() string // they are not; "" while they are
	log *slog.Logger

	told bool // that they are not
	next time.Time
}

// watch looks until ctx is done.
func (l *intakeLog) watch(ctx context.Context) {
	tick := time.NewTicker(intakeEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			l.look(now)
		case <-ctx.Done():
			return
		}
	}
}

func (l *intakeLog) look(now time.Time) {
	why := l.why()
	switch {
	case why == "" && l.told:
		l.told = false
		l.log.Info("there is room on the disk again: messages are taken in")
	case why != "" && !l.told && !now.Before(l.next):
		l.told = true
		l.next = now.Add(intakeInterval)
		l.log.Error("no messages are taken in", slog.String("reason", why))
	}
}
