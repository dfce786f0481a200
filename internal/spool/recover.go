package spool

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"

	"kinesyslog/internal/ledger"
)

// Open takes over what an earlier process left: unfinished files are removed,
// published ones are offered, dead letters are counted, all of them booked as
// recovered. Only the headers of records are read; their data is checked when
// it is taken. Damage is no error: it is counted, logged, and what is whole is
// offered. The error says that the directory cannot be read.
//
// A crash during Open changes nothing of what the next Open finds.
func Open(o Options) (*Spool, error) {
	s := &Spool{
		dir: o.Dir, fs: o.FS, ledger: o.Ledger, log: o.Logger, budget: o.Budget,
		files: map[string]*file{}, kept: map[string]int64{}, writing: map[string]bool{},
		wake: make(chan struct{}),
	}
	entries, err := List(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	s.metrics = newMetrics(o.Registerer, s.Stats)

	// A kill may have come between a rename and its fsync. What Has says must
	// hold after a power cut, and a record must not be marked as dead while its
	// dead letter can still vanish.
	synced := s.sync(s.dir)
	if slices.ContainsFunc(entries, func(e Entry) bool { return e.Kind == DeadLetter }) {
		s.deadOpen = s.sync(filepath.Join(s.dir, deadDir)) && synced
	}
	// Dead letters first: a record that has one is not offered, even where a
	// power cut took its mark.
	letters := map[string]bool{}
	for _, e := range entries {
		if e.Kind == DeadLetter && s.recoverDead(e) {
			letters[e.Name] = true
		}
	}
	for _, e := range entries {
		switch e.Kind {
		case Published:
			s.recoverFile(e, letters)
		case Unfinished:
			if err := s.fs.Remove(e.Path); err != nil {
				s.budget.Use(e.Size)
				s.log.Warn("an unfinished spool file cannot be removed; its messages are in the journal",
					slog.String("file", e.Path), slog.Any("error", err))
			}
		case SetAside:
			s.budget.Use(e.Size)
		}
	}
	if st := s.Stats(); st.Files+st.DeadLetters > 0 {
		s.log.Info("records of an earlier run are taken over", slog.Int("files", st.Files), slog.Int("records", st.Records),
			slog.Int64("messages", st.Events), slog.Int("dead_letters", st.DeadLetters))
	}
	return s, nil
}

// sync makes the names in a directory durable. Where that fails it is said, and
// start-up goes on.
func (s *Spool) sync(dir string) bool {
	err := s.fs.SyncDir(dir)
	if err != nil {
		s.log.Error("the spool directory cannot be synced; look at the disk (dmesg)", slog.String("directory", dir), slog.Any("error", err))
	}
	return err == nil
}

// recoverFile offers what a published file holds.
func (s *Spool) recoverFile(e Entry, letters map[string]bool) {
	s.budget.Use(e.Size)
	info, err := s.inspect(e)
	if err != nil {
		// It may be readable once more, or by a newer version: leave it.
		s.metrics.damaged.Inc()
		s.log.Error("a spool file cannot be read and is left where it is; look at the disk (dmesg), then start again",
			slog.String("file", e.Path), slog.Any("error", err))
		return
	}
	f := &file{name: e.Name, path: e.Path, size: e.Size, salt: salt(info.Name), created: info.Created, damaged: len(info.Damage) > 0}
	for _, d := range info.Damage {
		s.damage(f, d.Offset, d)
	}
	if f.damaged && s.hasJournal(e.Name) {
		s.log.Warn("a damaged spool file is set aside; its records are made again from the journal", slog.String("file", e.Path))
		s.finish(f)
		return
	}
	if info.MissingRecords > 0 {
		s.log.Error("records of a spool file are lost; they cannot be booked, because it is not known whose they were",
			slog.String("file", e.Path), slog.Int("records", info.MissingRecords), slog.Int64("messages", info.MissingEvents))
	}
	s.adopt(f, info, letters)
	s.offer(f)
	if f.left > 0 {
		return
	}
	s.drop(f)
	if s.hasJournal(f.name) {
		// A power cut brought it back. It must go before this file does; the
		// next start sees to that.
		s.kept[f.name] = f.size
		return
	}
	s.finish(f)
}

// hasJournal tells whether the journal file that records were made from is not
// dropped.
func (s *Spool) hasJournal(name string) bool {
	_, err := s.fs.Stat(s.path(name, journaled))
	return err == nil
}

// adopt books the records of a file that are to be offered. One that is cut off
// is among them: Take will find it damaged.
func (s *Spool) adopt(f *file, info *Info, letters map[string]bool) {
	var isDead []int
	for i, r := range info.Records {
		m := record{
			offset: r.Offset, size: uint32(r.Size), data: uint32(r.Data), events: uint32(r.Events), index: uint32(r.Index),
			listener: s.listeners.of(r.Listener), progress: done,
		}
		switch {
		case r.State == Delivered, r.State == Dead:
		case r.State == Damaged:
			f.damaged = true
		case letters[deadName(f.name, r.Index)]:
			if s.deadOpen {
				isDead = append(isDead, i)
			}
		default:
			m.progress = waiting
			s.ledger.Recover(r.Listener, ledger.Spool, uint64(r.Events))
		}
		f.records = append(f.records, m)
	}
	if err := s.mark(f, isDead, Dead); err != nil {
		s.log.Warn("records that became dead letters could not be marked", slog.Any("error", err))
	}
}

// recoverDead counts a dead letter and tells whether it is whole.
func (s *Spool) recoverDead(e Entry) bool {
	s.budget.Use(e.Size)
	info, err := s.inspect(e)
	if err != nil {
		s.metrics.damaged.Inc()
		s.log.Error("a dead letter cannot be read and is left where it is", slog.String("file", e.Path), slog.Any("error", err))
		return false
	}
	if len(info.Damage) > 0 || len(info.Records) != 1 {
		s.metrics.damaged.Inc()
		s.log.Error("a dead letter is damaged and set aside", slog.String("file", e.Path+setAside), slog.Any("damage", errors.Join(damages(info)...)))
		if err := s.fs.Rename(e.Path, e.Path+setAside); err != nil {
			s.log.Error("a damaged dead letter cannot be renamed", slog.Any("error", err))
		}
		return false
	}
	r := info.Records[0]
	s.ledger.Recover(r.Listener, ledger.DeadLetters, uint64(r.Events))
	s.stats.DeadLetters++
	s.stats.DeadBytes += e.Size
	return true
}

func damages(info *Info) (out []error) {
	for _, d := range info.Damage {
		out = append(out, d)
	}
	return out
}

// inspect reads a file's structure. Of a published file whose journal file is
// still there it reads the data as well: until that is dropped the records can
// be made again.
func (s *Spool) inspect(e Entry) (*Info, error) {
	r, err := OpenFile(s.fs, e.Path)
	if err != nil {
		return nil, err
	}
	defer r.Close() // nothing was written
	if e.Kind != Published {
		return &r.Info, nil
	}
	if s.hasJournal(e.Name) {
		for i := range r.Records {
			if _, err := r.Record(i); err != nil {
				r.Damage = append(r.Damage, Damage{Offset: r.Records[i].Offset, Bytes: r.Records[i].Size, Err: err})
			}
		}
	}
	return &r.Info, nil
}
