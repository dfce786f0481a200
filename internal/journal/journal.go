package journal

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/vfs"
)

// ReasonFull is why messages are dropped that nobody can be made to wait with.
const ReasonFull = "spool_full"

// Journal is safe for concurrent use.
type Journal struct {
	options Options
	fs      vfs.FS
	budget  Budget
	ledger  *ledger.Ledger
	log     *slog.Logger
	metrics *metrics

	relay   uint64
	number  counter
	shards  []*shard
	seed    maphash.Seed
	queue   *queue
	syncer  *syncer
	staging sync.Pool

	stop    chan struct{}
	stopped sync.WaitGroup
	closing sync.Once
}

// counter gives out generation numbers: milliseconds since 1970, but never the
// same or a smaller one again.
type counter struct{ last atomic.Uint64 }

func (c *counter) next() uint64 {
	for {
		last := c.last.Load()
		n := max(uint64(time.Now().UnixMilli()), last+1)
		if c.last.CompareAndSwap(last, n) {
			return n
		}
	}
}

// Open takes over what an earlier process left in the directory and begins to
// sync. Generations that were left come from Next first. A damaged file is no
// error.
func Open(o Options) (*Journal, error) {
	j := &Journal{
		options: o, fs: o.FS, budget: o.Budget, ledger: o.Ledger, log: o.Logger,
		metrics: newMetrics(o.Registerer), seed: maphash.MakeSeed(),
		queue: newQueue(), stop: make(chan struct{}),
	}
	j.staging.New = func() any { return new(staging) }
	for i := range o.Shards {
		s := &shard{journal: j, index: i}
		if o.FlushIntervalMax > o.FlushInterval {
			s.pending = newDocuments(o.StreamOf)
		}
		j.shards = append(j.shards, s)
	}
	j.metrics.backlog(func() float64 { return float64(j.queue.len()) })
	var err error
	if j.relay, err = relayID(o.FS, o.Dir); err != nil {
		return nil, err
	}
	j.syncer = newSyncer(j, o.SyncInterval)
	if err := j.recover(); err != nil {
		return nil, err
	}
	j.stopped.Go(func() { j.syncer.run(j.stop) })
	return j, nil
}

// recover queues the generations that are not in the spool.
func (j *Journal) recover() error {
	entries, err := j.fs.ReadDir(j.options.Dir)
	if err != nil {
		return fmt.Errorf("read spool directory: %w", err)
	}
	var buf []byte
	for _, e := range entries {
		stem, _, _ := strings.Cut(e.Name(), ".")
		h, err := parseName(stem)
		if err != nil {
			continue // not ours
		}
		j.number.last.Store(max(j.number.last.Load(), h.generation))
		if !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		path := filepath.Join(j.options.Dir, e.Name())
		if j.options.Published != nil && j.options.Published(stem) {
			if err := j.fs.Remove(path); err != nil {
				return fmt.Errorf("remove a journal file whose records are in the spool: %w", err)
			}
			continue
		}
		if err := j.takeOver(stem, path, h, &buf); err != nil {
			return err
		}
	}
	return nil
}

// takeOver opens one file, counts what is in it and queues it.
func (j *Journal) takeOver(stem, path string, h fileHeader, buf *[]byte) error {
	f, err := j.fs.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open journal file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("open journal file %s: %w", path, err)
	}
	g := &Generation{Name: stem, journal: j, header: h, path: path, file: f, size: info.Size()}
	if int64(cap(*buf)) < g.size {
		*buf = make([]byte, g.size)
	}
	c, err := g.Load((*buf)[:cap(*buf)])
	if err != nil {
		_ = f.Close()
		j.metrics.damaged.Inc()
		j.log.Error("a journal file cannot be read and is left where it is; look at the disk (dmesg), then start again",
			slog.String("file", path), slog.Any("error", err))
		return nil
	}
	if stored, err := parseFileHeader(c.data); err == nil {
		g.header = stored
	} else {
		g.header.relay = j.relay
	}
	total := 0
	for _, b := range c.Blocks() {
		if src, err := event.ParseSource(string(b.Source)); err == nil {
			j.ledger.Recover(src.Listener, ledger.Journal, uint64(b.Count))
			g.count(src.Listener, uint64(b.Count))
			total += b.Count
		}
	}
	j.budget.Use(g.size)
	j.metrics.generations.Inc()
	j.metrics.recovered.Add(float64(total))
	j.log.Info("messages of an earlier run are taken over", slog.String("file", path), slog.Int("messages", total))
	j.syncer.dirty(g) // a kill may have left it in the page cache only
	j.queue.put(g)
	return nil
}

// shardOf puts all messages of a sender into one shard.
func (j *Journal) shardOf(s *event.Source) int {
	if len(j.shards) == 1 {
		return 0
	}
	return int(maphash.String(j.seed, s.Address) % uint64(len(j.shards)))
}

// errNoRoom says that intake has stopped and that the caller does not wait.
var errNoRoom = errors.New("no room")

// commit writes to one shard, waiting for room if block says so, and returns
// where it has written.
func (j *Journal) commit(ctx context.Context, s *shard, st *staging, block bool) (*Generation, error) {
	for {
		var err error
		if !j.budget.Full() {
			g, failed := s.write(st)
			if failed == nil {
				return g, nil
			}
			err = failed
			j.metrics.writeFailures.Inc()
			j.budget.Refused(err)
		}
		if !block {
			return nil, errNoRoom
		}
		if waited := j.budget.Wait(ctx); waited != nil {
			return nil, fmt.Errorf("no room in %s: %w", j.options.Dir, errors.Join(waited, err))
		}
	}
}

// drop books what could not be written.
func (j *Journal) drop(st *staging) {
	for _, c := range st.counts {
		j.ledger.Drop(c.listener, ReasonFull, c.messages, c.bytes)
	}
}

// Next waits for a closed generation, oldest first. It returns nil when ctx is
// done, or after Close when none is left.
func (j *Journal) Next(ctx context.Context) *Generation { return j.queue.next(ctx) }

// Seal closes every open generation that has messages.
func (j *Journal) Seal() {
	for _, s := range j.shards {
		s.mu.Lock()
		s.seal()
		s.mu.Unlock()
	}
}

// Close seals, syncs what is not on disk, and lets Next end. Nothing may be
// committed after it. A second call does nothing.
func (j *Journal) Close() {
	j.closing.Do(func() {
		j.Seal()
		close(j.stop)
		j.stopped.Wait()
		j.queue.close()
	})
}
