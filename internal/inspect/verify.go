package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"

	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
	"kinesyslog/internal/spool"
)

// Report is what came of the check of a file.
type Report struct {
	File     File
	Records  int   // that are whole
	Blocks   int   // likewise, of a journal file
	Messages int64 // in them
	Damage   []Damage
}

// Verify reads files to the last byte: it checks every checksum, and that every
// record is one gzip member with one document of as many messages as its header
// says. Files that went away meanwhile are left out.
func (d *Dir) Verify(files []File) iter.Seq[Report] {
	return func(yield func(Report) bool) {
		for _, f := range files {
			r := Report{File: f}
			verify := d.verifyRecords
			if f.Kind == Journal {
				verify = d.verifyJournal
			}
			err := verify(&r)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				r.Damage = append(r.Damage, Damage{Bytes: f.Bytes, What: err.Error()})
			}
			if !yield(r) {
				return
			}
		}
	}
}

func (d *Dir) verifyJournal(r *Report) error {
	j, damage, err := d.readJournal(r.File.Path)
	if err != nil {
		return err
	}
	r.Damage = damage
	for at, b := range j.Blocks() {
		n := 0
		for range b.All() {
			n++
		}
		wrong := ""
		if _, err := event.ParseSource(string(b.Source)); err != nil {
			wrong = "whole, but of an unknown form: " + err.Error()
		} else if n != b.Count {
			wrong = fmt.Sprintf("%d messages where the block says %d", n, b.Count)
		}
		if wrong != "" {
			r.Damage = append(r.Damage, Damage{Offset: int64(at), Bytes: int64(len(b.Texts)), What: wrong})
		}
		r.Blocks++
		r.Messages += int64(n)
	}
	return nil
}

func (d *Dir) verifyRecords(r *Report) error {
	file, err := spool.OpenFile(d.fs, r.File.Path)
	if err != nil {
		return err
	}
	defer file.Close() // nothing was written
	r.Damage = slices.Clone(r.File.Damage)
	for i, info := range file.Records {
		record, err := file.Record(i)
		if err == nil {
			err = checkRecord(record)
		}
		var damage spool.Damage
		switch {
		case err == nil:
			r.Records++
			r.Messages += int64(record.Events)
		case info.Cut: // is in File.Damage
		case errors.As(err, &damage):
			r.Damage = append(r.Damage, recordDamage(damage))
		default:
			r.Damage = append(r.Damage, Damage{Offset: info.Offset, Bytes: info.Size, What: err.Error()})
		}
	}
	return nil
}

// checkRecord tells what a consumer would stumble over.
func checkRecord(r event.Record) error {
	documents := cwl.NewDecoder(bytes.NewReader(r.Data))
	doc, err := documents.Next()
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("record without a document")
	case err != nil:
		return fmt.Errorf("record that cannot be decoded: %w", err)
	case len(doc.LogEvents) != r.Events:
		return fmt.Errorf("record with %d messages, its header says %d", len(doc.LogEvents), r.Events)
	}
	if _, err := documents.Next(); !errors.Is(err, io.EOF) {
		return errors.New("record with something behind its document")
	}
	return nil
}
