package spool

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// Reader reads one spool file or dead letter, whoever else uses it. Its
// methods may be called at the same time, Close excepted.
type Reader struct {
	Info
	f    vfs.File
	path string
}

// OpenFile reads the structure of a spool file, a dead letter, or one that was
// set aside. Damage within it is in Info.Damage and no error. The error says
// that it cannot be read or that a newer version wrote it.
func OpenFile(fsys vfs.FS, path string) (*Reader, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open spool file: %w", err)
	}
	info, err := scan(f, stem(path))
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("read spool file %s: %w", path, err)
	}
	return &Reader{Info: *info, f: f, path: path}, nil
}

// Record reads r.Records[i] and checks it. A record that is damaged gives a
// Damage as error, an unreadable one that of the file system.
func (r *Reader) Record(i int) (event.Record, error) {
	info := r.Records[i]
	b := make([]byte, min(info.Size, r.Size-info.Offset))
	if n, err := r.f.ReadAt(b, info.Offset); n < len(b) && err != io.EOF {
		return event.Record{}, fmt.Errorf("read spool file %s at offset %d: %w", r.path, info.Offset, err)
	} else if n < len(b) {
		b = b[:n]
	}
	h, data, err := parseRecord(b, salt(r.Name))
	if err != nil {
		return event.Record{}, fmt.Errorf("spool file %s: %w", r.path, Damage{info.Offset, info.Size, err})
	}
	return event.Record{Listener: string(h.listener), Events: int(h.events), RawBytes: h.raw, Data: data}, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.f.Close() }

// Kind is what a file in the spool directory is for.
type Kind int

// The kinds, by the ends of their names.
const (
	Published  Kind = iota // <name>.spool: records that wait
	Unfinished             // <name>.part: being written
	SetAside               // <name>.spool.bad and the like: damaged, kept for you
	DeadLetter             // dead/<name>-<index>.dead: refused by Firehose
)

// String returns the name that people read.
func (k Kind) String() string {
	return [...]string{"published", "unfinished", "set aside", "dead letter"}[k]
}

// Entry is a file of the spool.
type Entry struct {
	Kind Kind
	Path string
	Name string // generation and shard; of a dead letter also the index
	Size int64
}

// List returns the spool's files, those of the directory first, by name. Other
// files, the journal's among them, are left out. It may run beside a relay: a
// file that goes away meanwhile is left out.
func List(fsys vfs.FS, dir string) ([]Entry, error) {
	var out []Entry
	for _, d := range []string{dir, filepath.Join(dir, deadDir)} {
		entries, err := fsys.ReadDir(d)
		if err != nil {
			if d != dir && os.IsNotExist(err) {
				break
			}
			return nil, fmt.Errorf("read spool directory: %w", err)
		}
		for _, e := range entries {
			kind, ok := kindOf(e.Name(), d != dir)
			if !ok || e.IsDir() {
				continue
			}
			info, err := e.Info()
			if err != nil {
				continue // gone
			}
			out = append(out, Entry{Kind: kind, Path: filepath.Join(d, e.Name()), Name: stem(e.Name()), Size: info.Size()})
		}
	}
	return out, nil
}

// The ends of the names of files.
const (
	published  = ".spool"
	unfinished = ".part"
	dead       = ".dead"
	setAside   = ".bad"
	journaled  = ".journal" // the file that records were made from, while it is not dropped
	deadDir    = "dead"
)

// stem is a file's name without directory and suffixes.
func stem(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}

// kindOf tells a file's kind by its name, and whether it is one of ours.
func kindOf(base string, inDead bool) (Kind, bool) {
	name := stem(base)
	valid := validName(name)
	if inDead {
		_, _, valid = parseDeadName(name)
	}
	suffix := base[len(name):]
	switch {
	case !valid:
		return 0, false
	case suffix == published && !inDead:
		return Published, true
	case suffix == unfinished && !inDead, suffix == dead+unfinished && inDead:
		return Unfinished, true
	case suffix == published+setAside && !inDead, suffix == unfinished+setAside && !inDead,
		suffix == dead+setAside && inDead, suffix == dead+unfinished+setAside && inDead:
		return SetAside, true
	case suffix == dead && inDead:
		return DeadLetter, true
	}
	return 0, false
}
