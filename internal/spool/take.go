package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/vfs"
)

// ReasonDamaged is why records are booked as dropped that cannot be read.
const ReasonDamaged = "damaged"

// A record that the disk does not give is tried again after retryPause, and
// given up as damaged after maxReads tries.
const (
	retryPause = 10 * time.Second
	maxReads   = 6
)

// Take waits until records are there and returns the oldest, or now and then,
// while there is a backlog, the newest, with their data, whose checksums are
// right: one, and more as long as there are no more than
// maxRecords with no more than maxBytes of data. They are not given out again
// unless they are returned. Data may be kept for as long as it is needed.
//
// It returns nothing and no error once the spool is closed and nothing waits
// (what others have taken may still come back), and ctx's error when ctx is
// done.
func (s *Spool) Take(ctx context.Context, maxRecords, maxBytes int) ([]event.Stored, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		picks := s.queue.take(maxRecords, maxBytes, time.Now())
		wake, closed, listeners := s.wake, s.closed, s.listeners.list
		s.mu.Unlock()
		if len(picks) > 0 {
			if recs := s.load(picks, listeners); len(recs) > 0 {
				return recs, nil
			}
			continue
		}
		if closed {
			return nil, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// load reads the data of records that are taken. Those that cannot be read are
// set aside or tried again later.
func (s *Spool) load(picks []pick, listeners []string) []event.Stored {
	l := loader{spool: s, listeners: listeners, out: make([]event.Stored, 0, len(picks))}
	for len(picks) > 0 {
		f := picks[0].file
		n := 1
		for n < len(picks) && picks[n].file == f {
			n++
		}
		l.file(f, picks[:n])
		picks = picks[n:]
	}
	return l.out
}

// loader is what load knows.
type loader struct {
	spool     *Spool
	listeners []string
	out       []event.Stored
	lost      []pick // of the file at hand: those the disk did not give
	err       error  // the last reason for it
}

// file reads records of one file.
func (l *loader) file(f *file, picks []pick) {
	l.lost = nil
	h, err := l.spool.fs.OpenFile(f.path, os.O_RDONLY, 0)
	if err != nil {
		l.lost, l.err = picks, err
	} else {
		for len(picks) > 0 {
			run := adjacent(picks)
			l.run(h, picks[:run])
			picks = picks[run:]
		}
		_ = h.Close() // nothing was written
	}
	if len(l.lost) > 0 {
		l.spool.unreadable(l.lost, l.listeners, l.err)
	}
}

// adjacent tells how many of the records lie one after the other in the file.
func adjacent(picks []pick) int {
	n := 1
	for n < len(picks) {
		before := picks[n-1].record()
		if before.offset+int64(before.size) != picks[n].record().offset {
			break
		}
		n++
	}
	return n
}

// run reads adjacent records at once.
func (l *loader) run(h vfs.File, run []pick) {
	first, last := run[0].record(), run[len(run)-1].record()
	buf := make([]byte, last.offset+int64(last.size)-first.offset)
	if n, err := h.ReadAt(buf, first.offset); n < len(buf) {
		switch {
		case len(run) == 1 && errors.Is(err, io.EOF): // the file was cut: it will not come back
			l.spool.giveUp(run[0], l.listeners[first.listener], err)
			return
		case len(run) == 1:
			l.lost, l.err = append(l.lost, run[0]), err
			return
		}
		for i := range run { // find out which of them
			l.run(h, run[i:i+1])
		}
		return
	}
	f := run[0].file
	for _, p := range run {
		r := p.record()
		b := buf[r.offset-first.offset:][:r.size]
		head, data, err := parseRecord(b, f.salt)
		if err == nil && (head.index != r.index || head.data != r.data) {
			err = errRecord
		}
		if err != nil {
			l.spool.giveUp(p, l.listeners[r.listener], err)
			continue
		}
		l.out = append(l.out, event.Stored{File: f.name, Index: int(r.index), Record: event.Record{
			Listener: l.listeners[r.listener], Events: int(r.events), RawBytes: head.raw, Data: data,
		}})
	}
}

// unreadable deals with records that the file system did not give. A file that
// is gone will not come back; anything else may.
func (s *Spool) unreadable(picks []pick, listeners []string, err error) {
	forGood := errors.Is(err, fs.ErrNotExist)
	var lost, again []pick
	s.mu.Lock()
	for _, p := range picks {
		r := p.record()
		r.failures++
		if forGood || r.failures >= maxReads {
			lost = append(lost, p)
		} else {
			again = append(again, p)
		}
	}
	s.mu.Unlock()
	for _, p := range lost {
		s.giveUp(p, listeners[p.record().listener], err)
	}
	if len(again) == 0 {
		return
	}
	s.log.Warn("records cannot be read from the spool; it is tried again",
		slog.String("file", again[0].file.path), slog.Int("records", len(again)), slog.Any("error", err), slog.Duration("after", retryPause))
	time.AfterFunc(retryPause, func() { s.giveBack(again) })
}

// giveUp sets a damaged record aside: it stays in its file, which ends as .bad.
func (s *Spool) giveUp(p pick, listener string, err error) {
	r := p.record()
	s.mu.Lock()
	p.file.damaged = true
	r.progress = settling
	s.mu.Unlock()
	s.damage(p.file, r.offset, err)
	if err := s.mark(p.file, []int{p.i}, Damaged); err != nil {
		s.log.Warn("a damaged record could not be marked; after a restart it is counted again", slog.Any("error", err))
	}
	s.ledger.Lose(listener, ledger.Spool, ReasonDamaged, uint64(r.events))
	_ = s.settle(p.file, []int{p.i}) // logged there
}

// Return gives records back that were taken and not delivered. They are offered
// again in their old place.
func (s *Spool) Return(recs []event.Stored) {
	picks, err := s.claim(recs)
	if err != nil {
		s.log.Error("records were returned that are not taken", slog.Any("error", err))
	}
	s.giveBack(picks)
}

func (s *Spool) giveBack(picks []pick) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range picks {
		s.queue.giveBack(p.file, p.i)
	}
	if len(picks) > 0 {
		s.signal()
	}
}

// claim finds records that are taken and makes them the caller's alone. Those
// that are not taken are left out and told in the error.
func (s *Spool) claim(recs []event.Stored) (picks []pick, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range recs {
		f, i := s.files[rec.File], -1
		if f != nil {
			i = f.find(rec.Index)
		}
		if i < 0 || f.records[i].progress != taken {
			err = errors.Join(err, fmt.Errorf("record %d of spool file %s is not taken", rec.Index, rec.File))
			continue
		}
		f.records[i].progress = settling
		f.records[i].failures = 0 // it was read
		picks = append(picks, pick{f, i})
	}
	return picks, err
}
