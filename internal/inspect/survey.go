package inspect

import (
	"fmt"
	"path/filepath"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/spool"
)

// survey fills in what a file holds. The error is the file system's.
func (d *Dir) survey(f *File, letters map[string]bool) error {
	info, err := d.fs.Stat(f.Path)
	if err != nil {
		return err
	}
	f.Bytes = info.Size()
	if f.Kind == Journal {
		return d.surveyJournal(f)
	}
	return d.surveyRecords(f, letters)
}

func (d *Dir) surveyJournal(f *File) error {
	j, damage, err := d.readJournal(f.Path)
	if err != nil {
		return err
	}
	f.Bytes, f.Damage = j.Size, damage
	converted := !f.SetAside && d.converted(f)
	for _, b := range j.Blocks() {
		f.Blocks++
		listener := "unknown"
		if source, err := event.ParseSource(string(b.Source)); err == nil {
			listener = source.Listener
		}
		undelivered := int64(b.Count)
		if f.SetAside || converted { // its whole blocks were made into records
			undelivered = 0
		}
		f.add(listener, int64(b.Count), undelivered)
	}
	switch {
	case f.State == Replayed:
	case f.SetAside || len(damage) > 0:
		f.State = Damaged
	case converted:
		f.State = Converted
	}
	return nil
}

// converted tells whether the records of a journal file are in a spool file
// beside it.
func (d *Dir) converted(f *File) bool {
	r, err := spool.OpenFile(d.fs, filepath.Join(filepath.Dir(f.Path), f.stem+".spool"))
	if err != nil {
		return false
	}
	defer r.Close() // nothing was written
	return len(r.Damage) == 0
}

func (d *Dir) surveyRecords(f *File, letters map[string]bool) error {
	r, err := spool.OpenFile(d.fs, f.Path)
	if err != nil {
		return err
	}
	defer r.Close() // nothing was written
	f.Bytes, f.Reason, f.Records = r.Size, r.Reason, len(r.Records)
	damaged := f.SetAside
	for _, record := range r.Records {
		undelivered := int64(0)
		if f.pending(r.Name, record, letters) {
			undelivered = int64(record.Events)
		}
		damaged = damaged || record.State == spool.Damaged
		f.add(record.Listener, int64(record.Events), undelivered)
	}
	if f.Kind != Unfinished { // of which nothing is expected
		for _, damage := range r.Damage {
			f.Damage = append(f.Damage, recordDamage(damage))
		}
		if r.MissingRecords > 0 {
			f.Damage = append(f.Damage, Damage{Offset: r.Size, What: fmt.Sprintf("%d records with %d messages are missing", r.MissingRecords, r.MissingEvents)})
		}
	}
	switch {
	case f.State == Replayed:
	case f.Kind == Unfinished:
		f.State = Leftover
	case damaged || len(f.Damage) > 0:
		f.State = Damaged
	case f.Kind == DeadLetter:
		f.State = Dead
	case f.Undelivered == 0 && f.Messages > 0:
		f.State = Delivered
	}
	return nil
}

// pending tells whether Firehose has not got a record, and no other file of the
// directory has it. One that was given up because of damage is among them: the
// disk may give it now.
func (f *File) pending(name string, r spool.RecordInfo, letters map[string]bool) bool {
	switch {
	case f.State == Replayed, f.Kind == Unfinished:
		return false
	case f.Kind == DeadLetter:
		return true
	}
	return r.State != spool.Delivered && r.State != spool.Dead && !letters[spool.LetterName(name, r.Index)]
}

// A write that is under way when a journal file is read looks like one that a
// crash has cut off. So then the file is read again, so often and after such a
// time.
const (
	rereads     = 3
	rereadAfter = 50 * time.Millisecond
)

// readJournal reads a journal file and tells what is damaged in it, but for a
// write that is under way. Nothing has walked the blocks that the caller gets.
func (d *Dir) readJournal(path string) (j *journal.File, damage []Damage, err error) {
	first := -1
	for try := 0; ; try++ {
		if j, err = journal.ReadFile(d.fs, path); err != nil {
			return nil, nil, err
		}
		torn := -1
		damage = nil
		for range j.Blocks() { // notes the damage between them
		}
		for _, at := range j.Damage() {
			what := "no whole block"
			if at.Torn {
				torn = at.Offset
				what = "cut off in the middle of a block, as a crash does to the last write"
			}
			damage = append(damage, Damage{Offset: int64(at.Offset), Bytes: int64(at.Bytes), What: what})
		}
		switch {
		case torn < 0:
			return j, damage, nil
		case try > 0 && torn != first: // what was torn is whole by now
			return j, damage[:len(damage)-1], nil
		case try == rereads:
			return j, damage, nil
		}
		first = torn
		time.Sleep(rereadAfter)
	}
}

func recordDamage(d spool.Damage) Damage {
	return Damage{Offset: d.Offset, Bytes: d.Bytes, What: d.Err.Error()}
}
