package spool

import (
	"errors"
	"log/slog"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
)

// Delivered says that Firehose has the records: they are marked in place, and a
// file all of whose records are done is removed. This survives a kill, but is
// not synced: after a power cut records may be offered again, with the same
// bytes. After an error they may be offered again by a later process, never by
// this one.
func (s *Spool) Delivered(recs []event.Stored) error {
	picks, err := s.claim(recs)
	for _, of := range byFile(picks) {
		f := of.file
		s.mu.Lock()
		// What is removed at once need not be marked.
		last := f.left == len(of.records) && !f.damaged
		s.mu.Unlock()
		if !last {
			err = errors.Join(err, s.mark(f, of.records, Delivered))
		}
		for _, i := range of.records {
			s.ledger.Deliver(s.listener(f, i), ledger.Spool, uint64(f.records[i].events))
		}
		if e := s.settle(f, of.records); e != nil {
			if last {
				e = errors.Join(e, s.mark(f, of.records, Delivered))
			}
			err = errors.Join(err, e)
		}
	}
	return err
}

// group is records of one file.
type group struct {
	file    *file
	records []int
}

// byFile keeps the order in which files come first.
func byFile(picks []pick) (out []group) {
	at := map[*file]int{}
	for _, p := range picks {
		i, ok := at[p.file]
		if !ok {
			i = len(out)
			at[p.file] = i
			out = append(out, group{file: p.file})
		}
		out[i].records = append(out[i].records, p.i)
	}
	return out
}

// settle ends what is kept of records in memory, and of their file if they were
// the last. The error says that the file could not be taken away; the next
// Open does.
func (s *Spool) settle(f *file, records []int) error {
	s.mu.Lock()
	for _, i := range records {
		r := &f.records[i]
		r.progress = done
		s.stats.Records--
		s.stats.Events -= int64(r.events)
	}
	f.left -= len(records)
	last := f.left == 0
	if last {
		s.drop(f)
	}
	s.mu.Unlock()
	if !last {
		return nil
	}
	if f.damaged {
		s.log.Warn("a damaged spool file is set aside; see it with kinesyslog spool verify", slog.String("file", f.path+setAside))
	}
	return s.finish(f)
}

func (s *Spool) listener(f *file, i int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listeners.list[f.records[i].listener]
}
