package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// syncer brings what was written to disk: at most the sync interval after it
// was written, or at once where somebody waits for it. Those who wait while a
// round is under way share the next one: the group commit.
type syncer struct {
	journal  *Journal
	interval time.Duration
	wake     chan struct{} // something is dirty
	urgent   chan struct{} // somebody waits

	mu       sync.Mutex
	files    []*Generation // with data that is not on disk
	fresh    bool          // a file was made whose directory entry is not on disk
	current  *round        // what those who come now wait for
	stopping bool
}

// round is one pass over the dirty files.
type round struct {
	done chan struct{}
	err  error
}

var errStopped = errors.New("the journal is closed")

func newSyncer(j *Journal, interval time.Duration) *syncer {
	return &syncer{
		journal: j, interval: interval, current: &round{done: make(chan struct{})},
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
	}
}

// dirty notes that a generation has data that is not on disk.
func (s *syncer) dirty(g *Generation) {
	s.mu.Lock()
	first := !g.listed
	if first {
		g.listed = true
		s.files = append(s.files, g)
		s.fresh = s.fresh || g.fresh
	}
	s.mu.Unlock()
	if first {
		signal(s.wake)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when everything written before the call is on disk.
func (s *syncer) wait(ctx context.Context) error {
	s.mu.Lock()
	r, stopping := s.current, s.stopping
	s.mu.Unlock()
	if stopping {
		return errStopped
	}
	signal(s.urgent)
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run syncs until stop is closed, and once more then.
func (s *syncer) run(stop <-chan struct{}) {
	// Some of the interval is left for the fsync itself.
	delay := s.interval * 3 / 4
	timer := time.NewTimer(delay)
	timer.Stop()
	for running := true; running; {
		select {
		case <-s.wake:
			timer.Reset(delay)
			continue
		case <-timer.C:
		case <-s.urgent:
		case <-stop:
			running = false
		}
		s.round(!running)
	}
	timer.Stop()
}

// round syncs every dirty file and tells those who wait.
func (s *syncer) round(last bool) {
	s.mu.Lock()
	r, files, fresh := s.current, s.files, s.fresh
	s.current = &round{done: make(chan struct{})}
	s.files, s.fresh, s.stopping = nil, false, last
	for _, g := range files {
		g.listed, g.fresh = false, false
	}
	s.mu.Unlock()

	start := time.Now()
	if fresh {
		if err := s.journal.fs.SyncDir(s.journal.options.Dir); err != nil {
			r.err = fmt.Errorf("sync directory %s: %w", s.journal.options.Dir, err)
		}
	}
	for _, g := range files {
		if err := g.sync(); err != nil {
			r.err = err
			s.failed(g, err)
		}
	}
	if len(files) > 0 {
		s.journal.metrics.syncSeconds.Observe(time.Since(start).Seconds())
	}
	close(r.done)
	if last {
		s.mu.Lock()
		close(s.current.done) // nobody is left to close it
		s.current.err = errStopped
		s.mu.Unlock()
	}
}

// sync brings the file to disk unless it has been dropped by now, in which case
// its messages are on disk in the spool.
func (g *Generation) sync() error {
	g.syncing.Lock()
	defer g.syncing.Unlock()
	if g.file == nil {
		return nil
	}
	if err := g.file.Sync(); err != nil {
		return fmt.Errorf("sync journal file %s: %w", g.path, err)
	}
	return nil
}

// failed gives a file up whose fsync failed: it is closed for writing, and what
// it holds goes on into the spool, which is another file.
func (s *syncer) failed(g *Generation, err error) {
	s.journal.metrics.syncFailures.Inc()
	s.journal.log.Error("the disk did not take what was written: the file is closed and its messages are moved on; look at the disk (dmesg)",
		slog.String("file", g.path), slog.Any("error", err))
	s.journal.shards[g.header.shard%len(s.journal.shards)].sealIf(g)
}
