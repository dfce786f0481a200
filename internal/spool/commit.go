package spool

import (
	"errors"
	"fmt"
	"time"
)

// Commit makes the file durable under its published name (fsync, rename, fsync
// of the directory), then calls done, which drops the journal file and books
// the move, and only then offers the records. Without records nothing is
// published and done is called.
//
// After an error nothing was offered, and the journal file must be kept:
//
//   - If done was not called, the file was given up, or it is in place but not
//     known to be durable. Create and write it again.
//   - If done was called, the error is done's, and the records are durable.
//     Call Commit again, or Create and write the file again; until one of them
//     succeeds they are kept back. The next Open offers them, and Has tells
//     that the journal file is to be dropped.
func (w *Writer) Commit(done func() error) error {
	s := w.spool
	switch w.stage {
	case abandoned:
		return w.err
	case offered:
		return fmt.Errorf("commit spool file %s: it was committed before", w.name)
	case inPlace:
		if err := s.reserve(w.name); err != nil {
			return fmt.Errorf("commit spool file again: %w", err)
		}
	case writing:
		if len(w.records) == 0 && w.err == nil {
			if err := w.Abort(); err != nil {
				return err
			}
			return done()
		}
		start := time.Now()
		if err := w.publish(); err != nil {
			s.release(w.name)
			return fmt.Errorf("commit spool file: %w", err)
		}
		s.metrics.commitSeconds.Observe(time.Since(start).Seconds())
		w.stage = inPlace
	}
	defer s.release(w.name)
	if err := done(); err != nil {
		return fmt.Errorf("commit spool file %s: it is durable, but the journal file was not dropped: %w", w.name, err)
	}
	w.stage = offered
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, w.name)
	s.offer(&file{name: w.name, path: s.path(w.name, published), size: w.size, salt: w.salt, created: w.created, records: w.records})
	return nil
}

// publish puts the file in place, or gives it up.
func (w *Writer) publish() error {
	s := w.spool
	err := w.seal()
	if err == nil {
		if err = s.fs.Rename(w.part, s.path(w.name, published)); err != nil {
			err = fmt.Errorf("publish %s: %w", w.part, err)
		}
	}
	if err != nil {
		w.stage, w.err = abandoned, err
		s.discard(w.part, w.used)
		return err
	}
	s.mu.Lock()
	replaced := s.kept[w.name]
	s.kept[w.name] = w.size
	s.mu.Unlock()
	s.budget.Free(replaced)
	if err := s.fs.SyncDir(s.dir); err != nil {
		// The data is durable, the name may not be: whichever of the two
		// names a power cut leaves, journal or spool has all of it.
		w.stage, w.err = abandoned, fmt.Errorf("publish %s: %w", w.part, err)
		return w.err
	}
	return nil
}

// seal writes the commit mark and makes the data durable. It closes the file
// in any case.
func (w *Writer) seal() error {
	w.write(appendFooter(nil, footer{records: uint32(len(w.records)), events: w.events, offset: w.size}))
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	if w.err == nil {
		w.err = w.f.Sync()
	}
	if err := w.f.Close(); err != nil {
		w.err = errors.Join(w.err, err)
	}
	if w.err != nil {
		return fmt.Errorf("write %s: %w", w.part, w.err)
	}
	return nil
}
