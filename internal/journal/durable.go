package journal

import (
	"context"
	"slices"
	"sync"

	"kinesyslog/internal/event"
)

// DurableAppender is an Appender for a reader whose sender keeps every message
// until it is told that the message is on disk. Add and Commit are for one
// goroutine, Sync may be called by another at the same time.
type DurableAppender struct {
	appender *Appender

	mu       sync.Mutex
	unsynced []*Generation // files with messages of ours that may not be on disk
}

// NewDurableAppender returns a DurableAppender.
func (j *Journal) NewDurableAppender() *DurableAppender {
	return &DurableAppender{appender: j.NewAppender()}
}

// Add copies a message that was received at a time in microseconds since 1970.
func (a *DurableAppender) Add(source *event.Source, received int64, text []byte) {
	a.appender.Add(source, received, text)
}

// Commit is Appender.Commit but for messages that it cannot write: these are
// not booked in the ledger, as their sender has them. With block false it drops
// them without an error, so a caller that acknowledges must give true.
func (a *DurableAppender) Commit(ctx context.Context, block bool) error {
	return a.appender.commit(ctx, block, a.written, func(*shard, *staging) bool { return false })
}

func (a *DurableAppender) written(g *Generation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Contains(a.unsynced, g) {
		a.unsynced = append(a.unsynced, g)
	}
}

// Sync returns nil once everything that was committed before the call is on
// disk, with whatever others have committed by then: calls that come together
// share one fsync. If the disk did not take a file, there is an error until the
// messages in it have moved on to the spool, which is soon if the disk recovers:
// it is worth calling again. Other errors are those of ctx, and one that says
// that the journal is closed.
func (a *DurableAppender) Sync(ctx context.Context) error {
	a.mu.Lock()
	files := a.unsynced
	a.unsynced = nil
	a.mu.Unlock()
	s := a.appender.journal.syncer
	err := s.wait(ctx)
	if err == nil {
		err = s.failure(files)
	}
	if err != nil {
		a.mu.Lock()
		a.unsynced = append(files, a.unsynced...)
		a.mu.Unlock()
	}
	return err
}
