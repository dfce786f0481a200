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
// was written, or at once where somebody waits for it. Those who come while a
// round is under way share the next one: the group commit. So one who waits
// alone waits for one fsync, and the more there are, the more share one.
type syncer struct {
	journal  *Journal
	interval time.Duration
	wake     chan struct{} // something is dirty
	urgent   chan struct{} // somebody waits

	mu      sync.Mutex
	files   []*Generation // with data that is not on disk, and that no round has taken
	next    *round        // takes files
	running *round        // nil between rounds
	stopped bool
}

// round is one pass over the files that are dirty when it begins.
type round struct {
	waiters int
	done    chan struct{}
}

func newRound() *round { return &round{done: make(chan struct{})} }

var errStopped = errors.New("the journal is closed")

func newSyncer(j *Journal, interval time.Duration) *syncer {
	return &syncer{
		journal: j, interval: interval, next: newRound(),
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

// wait returns when everything written before the call is on disk, but for
// files whose fsync failed: see failure.
func (s *syncer) wait(ctx context.Context) error {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return errStopped
	}
	r := s.next
	switch {
	case len(s.files) > 0:
		r.waiters++
		if r.waiters == 1 {
			signal(s.urgent)
		}
	case s.running != nil:
		r = s.running // it has everything
	default:
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure returns an error if one of the files failed to be synced and what it
// holds is not in the spool yet.
func (s *syncer) failure(files []*Generation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range files {
		if g.failed != nil && !g.dropped {
			return g.failed
		}
	}
	return nil
}

// dropped says that what a generation holds is on disk elsewhere.
func (s *syncer) dropped(g *Generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.dropped = true
}

// run syncs until stop is closed, and once more then.
func (s *syncer) run(stop <-chan struct{}) {
	// Some of the interval is left for the fsync itself.
	delay := s.interval * 3 / 4
	timer := time.NewTimer(delay)
	timer.Stop()
	defer timer.Stop()
	for armed := false; ; {
		select {
		case <-s.wake:
			if !armed { // or what became dirty first would wait longer for what came later
				armed = true
				timer.Reset(delay)
			}
			continue
		case <-timer.C:
		case <-s.urgent:
			if !s.awaited() {
				continue // a round that began for another reason has served them
			}
		case <-stop:
			s.round(true)
			return
		}
		s.round(false)
		timer.Stop() // what became dirty during the round has woken us up anew
		armed = false
	}
}

// awaited tells whether somebody waits for the next round.
func (s *syncer) awaited() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next.waiters > 0
}

// round syncs every dirty file and tells those who wait.
func (s *syncer) round(last bool) {
	r, files, fresh := s.begin(last)
	start := time.Now()
	errs := syncAll(files, fresh)
	if len(files) > 0 {
		s.journal.metrics.syncSeconds.Observe(time.Since(start).Seconds())
	}
	s.end(r, files, errs)
	for i, g := range files {
		if errs[i] != nil {
			s.giveUp(g, errs[i])
		}
	}
}

// begin takes the files that are to be synced, and tells of each whether its
// directory entry may not be on disk either. A file whose fsync failed is left
// out: a second one may succeed without having written anything.
func (s *syncer) begin(last bool) (r *round, files []*Generation, fresh []bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.files {
		g.listed = false
		if g.failed == nil {
			files, fresh = append(files, g), append(fresh, g.fresh)
			g.fresh = false
		}
	}
	r = s.next
	s.running, s.next, s.files, s.stopped = r, newRound(), nil, last
	return r, files, fresh
}

// end notes what failed before it lets those go on who wait.
func (s *syncer) end(r *round, files []*Generation, errs []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, g := range files {
		g.failed = errs[i]
	}
	s.running = nil
	close(r.done)
}

// syncAll syncs files at the same time: a file system's own journal then writes
// once for several of them.
func syncAll(files []*Generation, fresh []bool) []error {
	errs := make([]error, len(files))
	var others sync.WaitGroup
	for i := 1; i < len(files); i++ {
		others.Go(func() { errs[i] = files[i].sync(fresh[i]) })
	}
	if len(files) > 0 {
		errs[0] = files[0].sync(fresh[0])
	}
	others.Wait()
	return errs
}

// sync brings the file to disk, its name first if that is fresh, unless it has
// been dropped by now: then its messages are on disk in the spool.
func (g *Generation) sync(fresh bool) error {
	g.syncing.Lock()
	defer g.syncing.Unlock()
	if g.file == nil {
		return nil
	}
	if fresh {
		if err := g.journal.fs.SyncDir(g.journal.options.Dir); err != nil {
			return fmt.Errorf("sync the directory of journal file %s: %w", g.path, err)
		}
	}
	if err := g.file.Sync(); err != nil {
		return fmt.Errorf("sync journal file %s: %w", g.path, err)
	}
	return nil
}

// giveUp gives a file up whose fsync failed: it is closed for writing, and what
// it holds goes on into the spool, which is another file.
func (s *syncer) giveUp(g *Generation, err error) {
	s.journal.metrics.syncFailures.Inc()
	s.journal.log.Error("the disk did not take what was written: the file is closed and its messages are moved on; look at the disk (dmesg)",
		slog.String("file", g.path), slog.Any("error", err))
	s.journal.shards[g.header.shard%len(s.journal.shards)].sealIf(g)
}
