package spool

import (
	"log/slog"

	"kinesyslog/internal/ledger"
)

// ReasonDropOldest is why messages are booked as dropped that were given up to
// make room for newer ones.
const ReasonDropOldest = "drop_oldest"

// DropOldest gives up what waits in the oldest file that has no record taken,
// and removes the file. It reports false if there is no such file. What it
// gives up is booked as dropped.
func (s *Spool) DropOldest() bool {
	s.mu.Lock()
	f := s.queue.oldestIdle()
	if f == nil {
		s.mu.Unlock()
		return false
	}
	lost := map[string]uint64{}
	var records []int
	for i := range f.records {
		r := &f.records[i]
		if r.progress != waiting {
			continue
		}
		r.progress = settling
		records = append(records, i)
		lost[s.listeners.list[r.listener]] += uint64(r.events)
	}
	f.waits = 0
	s.mu.Unlock()

	total := uint64(0)
	for listener, n := range lost {
		s.ledger.Lose(listener, ledger.Spool, ReasonDropOldest, n)
		total += n
	}
	s.log.Warn("the oldest messages are given up to make room, as --when-full=drop-oldest says",
		slog.String("file", f.path), slog.Time("since", f.created), slog.Uint64("messages", total))
	_ = s.settle(f, records) // logged there
	return true
}
