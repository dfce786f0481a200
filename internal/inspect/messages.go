package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/spool"
)

// Message is one message. Of one in a journal file Timestamp is when it was
// received, and Owner is empty: what it says itself is read when records are
// made.
type Message struct {
	ID        string
	Timestamp int64 // milliseconds since 1970, UTC
	Message   string
	LogGroup  string
	LogStream string
	Owner     string
}

// ReadOptions say which messages are wanted.
type ReadOptions struct {
	// Undelivered leaves out what File.Undelivered does not count.
	Undelivered bool
	// GroupPrefix begins the log groups of messages in journal files.
	GroupPrefix string
}

// Messages yields the messages in files, in the order in which they lie there.
// Records that have become dead letters are left out where they were: they are
// in the letters. An error comes with an empty Message and tells of a place that
// cannot be read; the iteration goes on after it.
func (d *Dir) Messages(files []File, o ReadOptions) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		letters, err := d.letters()
		if err != nil {
			yield(Message{}, err)
			return
		}
		for _, f := range files {
			var goOn bool
			if f.Kind == Journal {
				goOn = d.journalMessages(f, o, yield)
			} else {
				goOn = recordMessages(f, d.records(f, letters, !o.Undelivered), yield)
			}
			if !goOn {
				return
			}
		}
	}
}

func (d *Dir) journalMessages(f File, o ReadOptions, yield func(Message, error) bool) bool {
	if o.Undelivered && f.Undelivered == 0 {
		return true
	}
	j, damage, err := d.readJournal(f.Path)
	if err != nil {
		return gone(err) || yield(Message{}, err)
	}
	for _, b := range j.Blocks() {
		if !blockMessages(j, b, o.GroupPrefix, yield) {
			return false
		}
	}
	for _, at := range damage {
		if !yield(Message{}, fmt.Errorf("%s: %s", f.Name, at)) {
			return false
		}
	}
	return true
}

func blockMessages(j *journal.File, b event.Block, prefix string, yield func(Message, error) bool) bool {
	source, err := event.ParseSource(string(b.Source))
	if err != nil {
		source = event.NewSource("unknown", "unknown", "unknown", "unknown")
	}
	id := cwl.NewID(j.Number(), j.Relay(), j.Shard())
	for seq, text := range b.All() {
		id.Set(seq)
		m := Message{
			ID: id.String(), Timestamp: b.Received / 1000, Message: string(text),
			LogGroup: prefix + "/" + source.Format + "/" + source.Port, LogStream: source.LogStream(),
		}
		if !yield(m, nil) {
			return false
		}
	}
	return true
}

func recordMessages(f File, records iter.Seq2[event.Record, error], yield func(Message, error) bool) bool {
	for r, err := range records {
		if err != nil {
			if !yield(Message{}, err) {
				return false
			}
			continue
		}
		for documents := cwl.NewDecoder(bytes.NewReader(r.Data)); ; {
			doc, err := documents.Next()
			var damage *cwl.DamageError
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				if !yield(Message{}, fmt.Errorf("%s: a record cannot be decoded: %w", f.Name, err)) {
					return false
				}
				if errors.As(err, &damage) {
					continue
				}
				break
			}
			for _, e := range doc.LogEvents {
				m := Message{
					ID: e.ID, Timestamp: e.Timestamp, Message: e.Message,
					LogGroup: doc.LogGroup, LogStream: doc.LogStream, Owner: doc.Owner,
				}
				if !yield(m, nil) {
					return false
				}
			}
		}
	}
	return true
}

// records yields the records of a file that are whole: those that were not
// delivered, or all but those that have become dead letters. It yields errors
// for what is damaged. A file that is gone has nothing.
func (d *Dir) records(f File, letters map[string]bool, all bool) iter.Seq2[event.Record, error] {
	return func(yield func(event.Record, error) bool) {
		r, err := spool.OpenFile(d.fs, f.Path)
		if err != nil {
			_ = gone(err) || yield(event.Record{}, err)
			return
		}
		defer r.Close() // nothing was written
		for i, info := range r.Records {
			if info.Cut || !f.wanted(r.Name, info, letters, all) {
				continue // what is cut off is in r.Damage
			}
			record, err := r.Record(i)
			if !yield(record, err) {
				return
			}
		}
		for _, damage := range r.Damage {
			err := fmt.Errorf("%s: offset %d, %d bytes: %w", f.Name, damage.Offset, damage.Bytes, damage.Err)
			if f.Kind != Unfinished && !yield(event.Record{}, err) {
				return
			}
		}
	}
}

// wanted tells whether records yields a record.
func (f *File) wanted(name string, r spool.RecordInfo, letters map[string]bool, all bool) bool {
	if !all {
		return f.pending(name, r, letters)
	}
	return f.Kind != Spool || r.State != spool.Dead && !letters[spool.LetterName(name, r.Index)]
}

// gone tells whether an error says that a file was delivered meanwhile.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
