package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"kinesyslog/internal/event"
	"kinesyslog/internal/spool"
)

// Replay puts what is whole in files that were set aside, or that were copied
// from somewhere, into new files that the relay takes over when it starts: the
// blocks of a journal file as a journal file, the records that were not
// delivered as a spool file. Event ids stay as they were. A file that was set
// aside is renamed to .replayed when the new one is durable; one that is not in
// the directory is left as it is.
func (o *Owned) Replay(files []File) []Outcome {
	var out []Outcome
	letters, err := o.letters()
	for _, f := range files {
		if err != nil {
			out = append(out, Outcome{File: f, Err: err})
			continue
		}
		out = append(out, o.replay(f, letters))
	}
	return out
}

func (o *Owned) replay(f File, letters map[string]bool) (out Outcome) {
	out.File = f
	if out.Err = o.replayable(f); out.Err != nil {
		return out
	}
	if f.Kind == Journal {
		out.Err = o.replayJournal(&out)
	} else {
		out.Err = o.replayRecords(&out, letters)
	}
	if out.Err != nil || out.Into == "" || f.foreign {
		return out
	}
	if err := o.done(f.Path); err != nil {
		out.Err = fmt.Errorf("what is whole in it is in %s, but it cannot be renamed: %w", out.Into, err)
	}
	return out
}

// replayable says why a file is not replayed.
func (o *Owned) replayable(f File) error {
	switch {
	case f.State == Replayed:
		return errors.New("it was replayed already")
	case f.State == Unreadable:
		return errors.New(f.Damage[0].What)
	case f.State == Converted:
		return errors.New("its records are in the spool file of the same name")
	case f.Kind == Unfinished:
		return errors.New("it was given up while it was written: its messages are in another file")
	case f.SetAside || f.foreign:
		return nil
	case f.Kind == DeadLetter:
		return errors.New("it is a dead letter: kinesyslog spool retry offers it again")
	}
	return errors.New("it was not set aside: the relay delivers it when it runs")
}

func (o *Owned) replayJournal(out *Outcome) error {
	j, damage, err := o.readJournal(out.File.Path)
	if err != nil {
		return err
	}
	out.Damaged = len(damage)
	blocks, messages := 0, int64(0)
	for _, b := range j.Blocks() {
		blocks++
		messages += int64(b.Count)
	}
	if blocks == 0 {
		return nil
	}
	name, err := o.fresh(j.Shard())
	if err != nil {
		return err
	}
	if err := j.Restore(o.fs, o.path, name); err != nil {
		return err
	}
	out.Into, out.Blocks, out.Messages = name+".journal", blocks, messages
	return nil
}

func (o *Owned) replayRecords(out *Outcome, letters map[string]bool) error {
	// First all of it is read: what the disk does not give now, it may give
	// another time, and the file must not count as replayed then.
	whole := 0
	for r, err := range o.records(out.File, letters, false) {
		switch {
		case err == nil:
			whole++
			out.Messages += int64(r.Events)
		case errors.As(err, new(*fs.PathError)):
			return fmt.Errorf("%w: copy the file with ddrescue, and replay the copy", err)
		default:
			out.Damaged++
		}
	}
	name, err := o.fresh(0)
	if err != nil {
		return err
	}
	n, err := spool.Restore(o.fs, o.path, name, func(yield func(event.Record) bool) {
		for r, err := range o.records(out.File, letters, false) {
			if err == nil && !yield(r) {
				return
			}
		}
	})
	if n > 0 {
		out.Into, out.Records = name+".spool", n
	}
	if err == nil && n != whole {
		return fmt.Errorf("of %d records the disk gave %d the second time: look at the disk (dmesg)", whole, n)
	}
	return err
}

// done renames a file that was replayed, never over another one.
func (o *Owned) done(path string) error {
	to := path + replayed
	for o.exists(to) {
		to += replayed
	}
	if err := o.fs.Rename(path, to); err != nil {
		return err
	}
	return o.fs.SyncDir(filepath.Dir(path))
}
