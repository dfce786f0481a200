package inspect

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"kinesyslog/internal/event"
	"kinesyslog/internal/spool"
)

// retryBytes is how much of dead letters goes into one new file, so that they
// need little room twice.
const retryBytes = 32 << 20

// Outcome is what was done with a file.
type Outcome struct {
	File     File
	Into     string // name of the file that has it now; empty if none does
	Records  int
	Blocks   int   // of a journal file
	Messages int64 // in them; of a discarded file those that are lost by it
	Damaged  int   // places that could not be read
	// Err says why nothing was done, or that the old file could not be taken
	// away although Into has what was in it.
	Err error
}

// Retry puts dead letters back into the spool, with the same bytes, so that the
// relay offers them to Firehose again when it starts. A letter is removed when
// its record is durable there.
func (o *Owned) Retry(files []File) []Outcome {
	var out []Outcome
	for len(files) > 0 {
		n, bytes := 0, int64(0)
		for n < len(files) && (n == 0 || bytes+files[n].Bytes <= retryBytes) {
			bytes += files[n].Bytes
			n++
		}
		out = append(out, o.retry(files[:n])...)
		files = files[n:]
	}
	return out
}

func (o *Owned) retry(files []File) []Outcome {
	out := make([]Outcome, len(files))
	var (
		records []event.Record
		from    []*Outcome
	)
	for i, f := range files {
		out[i].File = f
		r, err := o.letter(f)
		if err != nil {
			out[i].Err = err
			continue
		}
		records = append(records, r)
		from = append(from, &out[i])
	}
	if len(records) == 0 {
		return out
	}
	name, err := o.fresh(0)
	if err == nil {
		_, err = spool.Restore(o.fs, o.path, name, slices.Values(records))
	}
	for i, of := range from {
		if err != nil {
			of.Err = err
			continue
		}
		of.Into, of.Records, of.Messages = name+".spool", 1, int64(records[i].Events)
		if err := o.fs.Remove(of.File.Path); err != nil {
			of.Err = fmt.Errorf("its record is in %s, but the dead letter cannot be removed: %w", of.Into, err)
		}
	}
	if err == nil {
		err = o.fs.SyncDir(filepath.Join(o.path, deadDir))
		if last := from[len(from)-1]; err != nil && last.Err == nil {
			last.Err = fmt.Errorf("the removal of dead letters may not be durable: %w", err)
		}
	}
	return out
}

// letter reads a dead letter, and sees to it that its record is not offered
// where it came from as well.
func (o *Owned) letter(f File) (event.Record, error) {
	if f.Kind != DeadLetter || f.SetAside || f.foreign {
		return event.Record{}, fmt.Errorf("it is no dead letter of %s: retry is for these, replay for files that were set aside or copied", o.path)
	}
	r, err := spool.OpenFile(o.fs, f.Path)
	if err != nil {
		return event.Record{}, err
	}
	defer r.Close() // nothing was written
	if len(r.Records) != 1 {
		return event.Record{}, errors.New("it is damaged: it should have one record")
	}
	record, err := r.Record(0)
	if err != nil {
		return event.Record{}, err
	}
	return record, spool.Bury(o.fs, o.path, f.stem)
}

// Discard removes dead letters and files that were set aside, durably.
func (o *Owned) Discard(files []File) []Outcome {
	var out []Outcome
	for _, f := range files {
		out = append(out, Outcome{File: f, Messages: f.Undelivered, Err: o.discard(f)})
	}
	return out
}

func (o *Owned) discard(f File) error {
	if err := f.Discardable(); err != nil {
		return err
	}
	if f.Kind == DeadLetter && !f.SetAside {
		if err := spool.Bury(o.fs, o.path, f.stem); err != nil {
			return err
		}
	}
	if err := o.fs.Remove(f.Path); err != nil {
		return err
	}
	return o.fs.SyncDir(filepath.Dir(f.Path))
}

// Discardable is nil for a file that Discard removes, or says why it does not.
func (f File) Discardable() error {
	if f.foreign {
		return errors.New("it is not in the spool directory: remove it by other means")
	}
	if f.Kind != DeadLetter && !f.SetAside {
		return errors.New("it is neither a dead letter nor set aside: the relay delivers it, or removes it")
	}
	return nil
}
