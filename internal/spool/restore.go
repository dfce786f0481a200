package spool

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// LetterName is the name of a record's dead letter, without suffix.
func LetterName(name string, index int) string { return deadName(name, index) }

// Restore makes <name>.spool of records, in a directory that no relay uses, and
// tells how many there were. The next Open offers them. The file is durable on
// return; without records none is made. After an error, where the records came
// from must be kept: the file is not there, or not known to be durable.
func Restore(fsys vfs.FS, dir, name string, records iter.Seq[event.Record]) (n int, err error) {
	if !validName(name) {
		return 0, fmt.Errorf("restore records: %q is not a generation and a shard", name)
	}
	part := filepath.Join(dir, name+unfinished)
	f, err := fsys.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("restore records: %w", err)
	}
	if n, err = writeAll(f, name, records); err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil && n > 0 {
		if err = fsys.Rename(part, filepath.Join(dir, name+published)); err == nil {
			if err = fsys.SyncDir(dir); err == nil {
				return n, nil
			}
			return 0, fmt.Errorf("restore records as spool file %s: %w", name, err)
		}
	}
	if err = errors.Join(err, fsys.Remove(part)); err != nil {
		return 0, fmt.Errorf("restore records as spool file %s: %w", name, err)
	}
	return 0, nil
}

// writeAll writes a whole file.
func writeAll(w io.Writer, name string, records iter.Seq[event.Record]) (n int, err error) {
	out := bufio.NewWriterSize(w, bufferSize)
	sum, offset, events := salt(name), int64(0), uint64(0)
	write := func(b []byte) {
		if err == nil {
			_, err = out.Write(b)
			offset += int64(len(b))
		}
	}
	write(appendHeader(nil, name, time.Now()))
	for r := range records {
		if err == nil {
			err = check(r)
		}
		if err != nil {
			return n, err
		}
		write(appendRecordHeader(nil, sum, recordHeader{
			state: Waiting, listener: []byte(r.Listener), index: uint32(n), events: uint32(r.Events), raw: r.RawBytes,
			data: uint32(len(r.Data)), dataSum: crc32.Checksum(r.Data, castagnoli),
		}))
		write(r.Data)
		n++
		events += uint64(r.Events)
	}
	write(appendFooter(nil, footer{records: uint32(n), events: events, offset: offset}))
	return n, errors.Join(err, out.Flush())
}

// Bury sees to it that a record is not offered once its dead letter, whose name
// without suffix is given, is gone: where the record's file is still there and
// does not say that it is dead, because a crash took the mark, it is marked,
// durably on return. No relay may use the directory.
func Bury(fsys vfs.FS, dir, letter string) error {
	name, index, ok := parseDeadName(letter)
	if !ok {
		return fmt.Errorf("bury a record: %q is no dead letter's name", letter)
	}
	path := filepath.Join(dir, name+published)
	r, err := OpenFile(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer r.Close() // nothing is written through it
	for _, record := range r.Records {
		if record.Index != index || record.State.String() != Waiting.String() {
			continue
		}
		if err := markDurably(fsys, path, record.Offset, Dead); err != nil {
			return fmt.Errorf("mark record %d of spool file %s as %s: %w", index, path, Dead, err)
		}
	}
	return nil
}

// markDurably sets a record's state on the disk.
func markDurably(fsys vfs.FS, path string, offset int64, state State) error {
	f, err := fsys.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt([]byte{byte(state)}, offset+stateOffset); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
