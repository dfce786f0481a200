package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// shard writes one generation at a time. Shards share nothing while they write.
type shard struct {
	journal *Journal
	index   int

	mu      sync.Mutex
	open    *Generation // nil between generations
	scratch []byte
	pending *documents // of the open generation; nil unless it may stay open for longer
}

// write appends staged blocks to the open generation, opening one if need be,
// books them, and returns where they are. On an error nothing was written.
func (s *shard) write(st *staging) (*Generation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil && s.open.size+int64(len(st.buf)) > s.journal.options.GenerationBytes && s.open.size > fileHeaderSize {
		s.seal()
	}
	if s.open == nil {
		g, err := s.journal.create(s)
		if err != nil {
			return nil, err
		}
		s.open = g
	}
	g := s.open
	next := g.next
	for _, b := range st.blocks {
		numberBlock(st.buf[b.start:b.end], next)
		next += uint64(b.count)
		if s.pending != nil {
			s.pending.see(b.source)
		}
	}
	// At a fixed offset: after a short write the same place is written again.
	if _, err := g.file.WriteAt(st.buf, g.size); err != nil {
		// Blocks are numbered once; take the numbers off for the next try.
		for _, b := range st.blocks {
			sealBlock(st.buf[b.start:b.end], b.count)
		}
		// A part of it may be there. After a crash its whole blocks would come
		// back, although they were refused or written again elsewhere.
		_ = g.file.Truncate(g.size)
		s.seal() // another file may do better
		return nil, fmt.Errorf("write to journal file %s: %w", g.path, err)
	}
	for _, b := range st.blocks {
		g.place(g.size+int64(b.start), b.end-b.start, b.source)
	}
	g.size += int64(len(st.buf))
	g.next = next
	s.journal.budget.Use(int64(len(st.buf)))
	for _, c := range st.counts {
		s.journal.ledger.Receive(c.listener, c.messages, c.bytes)
		g.count(c.listener, c.messages)
		g.text += int64(c.bytes)
	}
	s.journal.metrics.written.Add(float64(len(st.buf)))
	s.journal.syncer.dirty(g)
	return g, nil
}

// seal closes the open generation for writing and queues it. Called with mu.
func (s *shard) seal() {
	g := s.open
	if g == nil {
		return
	}
	s.open = nil
	g.age.Stop()
	if g.size == fileHeaderSize {
		_ = g.Drop() // nothing is in it, nothing is lost
		return
	}
	s.journal.queue.put(g)
}

// sealIf seals a generation if it is still the open one.
func (s *shard) sealIf(g *Generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == g {
		s.seal()
	}
}

// due is called when a generation is as old as the flush interval, if it is
// still the open one, and again until it has been sealed.
func (s *shard) due(g *Generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != g {
		return
	}
	o := &s.journal.options
	left := o.FlushIntervalMax - time.Since(g.begun)
	if s.pending == nil || left <= 0 || g.text >= int64(s.pending.count())*o.DocumentBytes || s.journal.budget.Full() {
		s.seal()
		return
	}
	g.age.Reset(min(o.FlushInterval, left))
}

// create begins a new generation's file. Called with s.mu.
func (j *Journal) create(s *shard) (*Generation, error) {
	g := &Generation{journal: j, header: fileHeader{generation: j.number.next(), relay: j.relay, shard: s.index}}
	g.Name = name(g.header)
	g.path = filepath.Join(j.options.Dir, g.Name+Suffix)
	s.scratch = g.header.append(s.scratch[:0])
	f, err := j.fs.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create journal file: %w", err)
	}
	if _, err := f.WriteAt(s.scratch, 0); err != nil {
		_ = f.Close()
		_ = j.fs.Remove(g.path)
		return nil, fmt.Errorf("write to journal file %s: %w", g.path, err)
	}
	g.file, g.size, g.fresh = f, fileHeaderSize, true
	g.begun = time.Now()
	g.age = time.AfterFunc(j.options.FlushInterval, func() { s.due(g) })
	if s.pending != nil {
		s.pending.reset()
	}
	j.budget.Use(fileHeaderSize)
	j.metrics.generations.Inc()
	return g, nil
}
