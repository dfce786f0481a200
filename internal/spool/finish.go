package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
)

// mark sets the state of records in place, without a sync. An error is the
// last word on those of them that were not written; the others count.
func (s *Spool) mark(f *file, records []int, state State) error {
	if len(records) == 0 {
		return nil
	}
	h, err := s.fs.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("mark records of a spool file as %s: %w", state, err)
	}
	for _, i := range records {
		if _, e := h.WriteAt([]byte{byte(state)}, f.records[i].offset+stateOffset); e != nil {
			err = fmt.Errorf("mark record %d of spool file %s as %s: %w", f.records[i].index, f.path, state, e)
		}
	}
	if e := h.Close(); err == nil && e != nil {
		err = fmt.Errorf("mark records of spool file %s as %s: %w", f.path, state, e)
	}
	return err
}

// damage counts and logs one damaged place.
func (s *Spool) damage(f *file, offset int64, err error) {
	s.metrics.damaged.Inc()
	s.log.Error("a spool file is damaged: what is whole is sent, the file is then set aside",
		slog.String("file", f.path), slog.Int64("offset", offset), slog.Any("error", err))
}

// drop takes a file out of the queue. Called with the lock, or before anybody
// else knows the spool.
func (s *Spool) drop(f *file) {
	s.queue.remove(f)
	delete(s.files, f.name)
	s.stats.Bytes -= f.size
}

// finish takes a file away whose records are all done: removes it, or sets it
// aside where it was damaged. Where that fails the next Open does it.
func (s *Spool) finish(f *file) error {
	var err error
	if f.damaged {
		err = s.fs.Rename(f.path, f.path+setAside)
	} else if err = s.fs.Remove(f.path); err == nil || errors.Is(err, fs.ErrNotExist) {
		s.budget.Free(f.size)
		return nil
	}
	if err != nil {
		err = fmt.Errorf("take a spool file away that is done with: %w", err)
		s.log.Warn("a file stays in the spool until the next start", slog.Any("error", err))
	}
	return err
}
