package inspect

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
)

// ExportOptions say what is exported.
type ExportOptions struct {
	To        string // a directory, which is made if need be
	Delivered bool   // what was delivered, too
	// Convert makes records of a journal file's messages, as the relay does. A
	// record's Data is valid only during the call of Append.
	Convert func(f *journal.File, out interface{ Append(event.Record) error }) error
}

// Object is a file that Export wrote: gzip members one after another, as
// Firehose writes them to S3.
type Object struct {
	File     File // where its records come from
	Path     string
	Records  int
	Messages int64
	Bytes    int64
}

// Export writes an object for each file, below YYYY/MM/DD/HH/ as Firehose does,
// durable when it is yielded. The names depend on those of the files only, so
// that what is exported again takes the place of the first. A journal file's
// messages are made into records with the ids that the relay would give them.
//
// An error comes with an Object without a Path. It tells of a place that cannot
// be read, after which it goes on, or, as the last, that nothing can be written.
func (d *Dir) Export(files []File, o ExportOptions) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if to, path := resolved(o.To), resolved(d.path); d.path != "" && (to == path || strings.HasPrefix(to, path+"/")) {
			yield(Object{}, fmt.Errorf("cannot export into the spool directory: %s is in %s", o.To, d.path))
			return
		}
		letters, err := d.letters()
		if err != nil {
			yield(Object{}, err)
			return
		}
		for _, f := range files {
			e := exporter{dir: d, options: o, letters: letters, object: &object{told: Object{File: f}}}
			failed := e.export(f)
			for _, err := range e.damage {
				if !yield(Object{File: f}, err) {
					return
				}
			}
			if failed != nil {
				yield(Object{File: f}, failed)
				return
			}
			if e.object.told.Records > 0 && !yield(e.object.told, nil) {
				return
			}
		}
	}
}

// exporter writes one file's object.
type exporter struct {
	dir     *Dir
	options ExportOptions
	letters map[string]bool
	object  *object
	damage  []error
}

// export returns an error if the object cannot be written.
func (e *exporter) export(f File) error {
	if !e.options.Delivered && f.Undelivered == 0 {
		return nil
	}
	e.object.open = func() (string, error) { return objectPath(e.options.To, f) }
	err := e.copy(f)
	if err == nil {
		err = e.object.close()
	}
	if err != nil {
		e.object.abort()
		return fmt.Errorf("cannot export %s: %w", f.Name, err)
	}
	return nil
}

func (e *exporter) copy(f File) error {
	if f.Kind == Journal {
		return e.convert(f)
	}
	for r, err := range e.dir.records(f, e.letters, e.options.Delivered) {
		if err != nil {
			e.damage = append(e.damage, err)
			continue
		}
		if err := e.object.Append(r); err != nil {
			return err
		}
	}
	return nil
}

// convert makes records of a journal file as the relay does.
func (e *exporter) convert(f File) error {
	j, damage, err := e.dir.readJournal(f.Path)
	if err != nil {
		if !gone(err) {
			e.damage = append(e.damage, err)
		}
		return nil
	}
	for _, at := range damage {
		e.damage = append(e.damage, fmt.Errorf("%s: %s", f.Name, at))
	}
	err = e.options.Convert(j, e.object)
	if err != nil && e.object.err == nil {
		e.damage = append(e.damage, fmt.Errorf("%s cannot be made into records: %w", f.Name, err))
		e.object.abort()
		return nil
	}
	return err
}

// objectPath is where an object belongs, in a directory that is made.
func objectPath(to string, f File) (string, error) {
	at := f.Begun.UTC()
	dir := filepath.Join(to, at.Format("2006/01/02/15"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(filepath.Base(f.Name)))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // UUID version 8, RFC 9562
	uuid := fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	return filepath.Join(dir, "spool-1-"+at.Format("2006-01-02-15-04-05")+"-"+uuid+".gz"), nil
}
