package relay

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

// retryPause is how long a worker waits before it tries a generation again that
// could not be converted, for want of disk mostly.
const retryPause = time.Second

// keepMemory is how long a worker keeps its memory when there is nothing to do.
const keepMemory = time.Second

// handover turns closed generations into records in the spool, one at a time.
// There is one for each worker.
type handover struct {
	journal   *journal.Journal
	spool     *spool.Spool
	ledger    *ledger.Ledger
	converter *batch.Converter
	budget    *budget
	reserve   *reserve
	log       *slog.Logger

	compression *compression

	byHost bool              // blocks are read in the order of hosts, so again and again
	window []byte            // of a generation that is read block by block
	memory arena             // of one that is read as a whole
	counts map[string]uint64 // messages of the generation at hand, by listener
}

// run works until the journal is closed and empty, or ctx is done.
func (h *handover) run(ctx context.Context) {
	defer h.memory.free()
	for ctx.Err() == nil {
		g := h.next(ctx)
		if g == nil {
			return
		}
		release, err := h.budget.Claim(ctx, g.Size(), func() bool { return h.spool.Stats().Records > 0 })
		if err != nil {
			g.Return() // there is no time left
			return
		}
		if err = h.compression.during(func() error { return h.convert(g) }); isFull(err) {
			err = h.reserve.lend(func() error { return h.convert(g) })
		}
		release()
		if err != nil {
			h.log.Error("messages could not be moved from the journal into the spool; they stay in the journal and it is tried again",
				slog.String("generation", g.Name), slog.Any("error", err))
			g.Return()
			select {
			case <-time.After(retryPause):
			case <-ctx.Done():
			}
		}
	}
}

// next waits for a generation. What the last one was read into is given back
// only after a moment without one: at full speed the next is there at once, and
// memory that was given back costs the kernel time to clear.
func (h *handover) next(ctx context.Context) *journal.Generation {
	soon, cancel := context.WithTimeout(ctx, keepMemory)
	defer cancel()
	if g := h.journal.Next(soon); g != nil || soon.Err() == nil {
		return g
	}
	h.memory.rest()
	return h.journal.Next(ctx)
}

// convert makes records of a generation. Blocks of some size are read one by
// one; if that meets anything odd, and where blocks are small, it is read as a
// whole.
func (h *handover) convert(g *journal.Generation) error {
	if s := g.Sequence(&h.window); s != nil && !h.byHost {
		err := h.publish(g, s)
		if s.Err() == nil {
			return err
		}
		h.log.Warn("a journal file could not be read block by block; it is read as a whole", slog.Any("error", s.Err()))
	}
	buf, err := h.memory.get(g.Size())
	if err != nil {
		return err
	}
	contents, err := g.Load(buf)
	if err != nil {
		return err
	}
	return h.publish(g, contents)
}

// contents are a generation's blocks, read in one way or the other.
type contents interface {
	batch.Contents
	Err() error
	Damage() []journal.Damage
}

// publish writes the records of a generation aside, makes them durable,
// publishes them by one rename, and then drops the journal file. Whatever moment
// a crash comes at, either the journal file counts or the published records.
func (h *handover) publish(g *journal.Generation, from contents) error {
	w, err := h.spool.Create(g.Name)
	if err != nil {
		return err
	}
	clear(h.counts)
	err = h.converter.Convert(g, from, counting{w, h.counts})
	if err = errors.Join(err, from.Err()); err != nil {
		return errors.Join(err, w.Abort())
	}
	damage := from.Damage()
	if len(h.counts) == 0 {
		if err := w.Abort(); err != nil {
			return err
		}
		return h.drop(g, damage)
	}
	return w.Commit(func() error { return h.drop(g, damage) })
}

// drop takes the journal file away and books the move. After an error nothing
// has changed, and the generation may be converted again.
func (h *handover) drop(g *journal.Generation, damage []journal.Damage) error {
	damaged := slices.ContainsFunc(damage, func(d journal.Damage) bool { return !d.Torn })
	var err error
	if damaged {
		err = g.SetAside(damage)
	} else {
		err = g.Drop()
	}
	if err != nil {
		return err
	}
	for _, c := range g.Counts() {
		came := min(h.counts[c.Listener], c.Messages)
		h.ledger.Move(c.Listener, ledger.Journal, ledger.Spool, came)
		if lost := c.Messages - came; lost > 0 {
			h.ledger.Lose(c.Listener, ledger.Journal, "damaged", lost)
		}
	}
	h.converter.Publish()
	return nil
}

// counting is a spool.Writer that counts messages by listener.
type counting struct {
	*spool.Writer
	counts map[string]uint64
}

// Append implements batch.Output.
func (c counting) Append(r event.Record) error {
	if err := c.Writer.Append(r); err != nil {
		return err
	}
	c.counts[r.Listener] += uint64(r.Events)
	return nil
}
