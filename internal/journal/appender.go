package journal

import (
	"context"

	"kinesyslog/internal/event"
)

// Appender gathers the messages of one reader and puts them into the journal
// together. It is not for use by several goroutines at a time; make one for
// each. It holds memory only between Add and Commit.
type Appender struct {
	journal *Journal
	staged  []*staging // one a shard, nil where there is nothing
	shards  []int      // which are not nil
}

// staging holds blocks on their way into a shard.
type staging struct {
	buf    []byte
	blocks []stagedBlock
	counts []listenerCount
	source *event.Source // of the block at hand
	count  int           // messages in the block at hand
}

// stagedBlock is a block that only lacks its number.
type stagedBlock struct {
	start, end, count int
	source            *event.Source
}

// listenerCount is what the ledger is told. A reader belongs to one listener,
// so that there is hardly ever more than one.
type listenerCount struct {
	listener        string
	messages, bytes uint64
}

// NewAppender returns an Appender.
func (j *Journal) NewAppender() *Appender {
	return &Appender{journal: j, staged: make([]*staging, len(j.shards))}
}

// Add copies a message that was received at a time in microseconds since 1970.
func (a *Appender) Add(source *event.Source, received int64, text []byte) {
	i := a.journal.shardOf(source)
	st := a.staged[i]
	if st == nil {
		st = a.journal.staging.Get().(*staging)
		a.staged[i] = st
		a.shards = append(a.shards, i)
	}
	st.add(source, received, text)
}

func (st *staging) add(source *event.Source, received int64, text []byte) {
	if st.source != source || len(st.buf)-st.blocks[len(st.blocks)-1].start > maxBlockTexts {
		st.endBlock()
		st.source = source
		st.blocks = append(st.blocks, stagedBlock{start: len(st.buf), source: source})
		st.buf = beginBlock(st.buf, source.Key(), received)
	}
	st.buf = event.AppendText(st.buf, text)
	st.count++
	n := len(st.counts)
	if n == 0 || st.counts[n-1].listener != source.Listener {
		st.counts = append(st.counts, listenerCount{listener: source.Listener})
		n++
	}
	st.counts[n-1].messages++
	st.counts[n-1].bytes += uint64(len(text))
}

func (st *staging) endBlock() {
	if st.source == nil {
		return
	}
	b := &st.blocks[len(st.blocks)-1]
	b.end, b.count = len(st.buf), st.count
	sealBlock(st.buf[b.start:b.end], b.count)
	st.source, st.count = nil, 0
}

func (st *staging) reset() {
	st.buf, st.blocks, st.counts = st.buf[:0], st.blocks[:0], st.counts[:0]
}

// Commit puts everything that was added into the journal: on return it survives
// the death of the process, and is on disk within the sync interval. Messages of
// one source stay in order.
//
// Where there is no room, Commit waits for some if block is true, until ctx is
// done, and then writes all the same: nobody else has these messages, and no
// more will come. With block false it drops them, books them in the ledger as
// dropped, and returns nil. An error means that the disk did not take them, and
// that they are booked as dropped.
func (a *Appender) Commit(ctx context.Context, block bool) error {
	return a.commit(ctx, block, func(*Generation) {}, func(s *shard, st *staging) bool {
		if block {
			if _, err := s.write(st); err == nil {
				return true
			}
		}
		a.journal.drop(st)
		return false
	})
}

// commit tells of what was written where, and of what found no room: refused
// reports whether it could write it after all.
func (a *Appender) commit(ctx context.Context, block bool, written func(*Generation), refused func(*shard, *staging) bool) error {
	var failed error
	for _, i := range a.shards {
		st := a.staged[i]
		st.endBlock()
		g, err := a.journal.commit(ctx, a.journal.shards[i], st, block)
		if err == nil {
			written(g)
		} else if !refused(a.journal.shards[i], st) && block {
			failed = err
		}
		st.reset()
		a.journal.staging.Put(st)
		a.staged[i] = nil
	}
	a.shards = a.shards[:0]
	return failed
}
