package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// maxFileBytes is more than any journal file has; what is longer is something
// else, and must not be read into memory.
const maxFileBytes = 1 << 30

// errForeign says that a block is whole, and that a Converter cannot take it.
var errForeign = errors.New("it was written by another version of kinesyslog: use that one")

// File is a journal file as it was when it was read, whoever else uses it. Not
// for concurrent use.
type File struct {
	*Contents
	Name string // of the file, without directory and suffixes
	Size int64

	header     fileHeader
	identified bool // header.relay is known
}

// ReadFile reads a whole journal file, also one that was set aside or copied,
// and changes nothing. Damage is no error: see Contents. Where the file's header
// is damaged, its name says generation and shard, and the file relay.id beside
// it which relay.
func ReadFile(fsys vfs.FS, path string) (*File, error) {
	r, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open journal file: %w", err)
	}
	defer r.Close() // nothing was written
	info, err := r.Stat()
	if err != nil {
		return nil, fmt.Errorf("read journal file %s: %w", path, err)
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("read journal file %s: it has %d bytes, more than a journal file ever has", path, info.Size())
	}
	data := make([]byte, info.Size())
	n, err := r.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read journal file %s: %w", path, err)
	}
	f := &File{Contents: &Contents{data: data[:n]}, Size: int64(n)}
	f.Name, _, _ = strings.Cut(filepath.Base(path), ".")
	if f.header, err = parseFileHeader(f.data); err == nil {
		f.identified = true
		return f, nil
	}
	// A name of another form means number 0, as good as any.
	f.header, _ = parseName(f.Name)
	f.header.relay, f.identified = knownRelay(fsys, filepath.Dir(path))
	return f, nil
}

// knownRelay is the id in relay.id, if there is a sound one.
func knownRelay(fsys vfs.FS, dir string) (id uint64, ok bool) {
	f, err := fsys.OpenFile(filepath.Join(dir, "relay.id"), os.O_RDONLY, 0)
	if err != nil {
		return 0, false
	}
	defer f.Close() // nothing was written
	var b [64]byte
	n, _ := f.ReadAt(b[:], 0)
	id, err = strconv.ParseUint(strings.TrimSpace(string(b[:n])), 10, 64)
	return id, err == nil && id < 1e16
}

// Number is part of the event ids of the file's messages, like Relay and Shard.
func (f *File) Number() uint64 { return f.header.generation }

// Relay is the id of the relay that wrote the file.
func (f *File) Relay() uint64 { return f.header.relay }

// Shard is the index of the shard that wrote the file.
func (f *File) Shard() int { return f.header.shard }

// Restore puts every whole block into <name>.journal in a spool directory that
// no relay uses. The next Open takes it over, and its messages have the event
// ids that they have in f, whatever name says. It is durable on return. After an
// error f's file must be kept, as the new one is not there or not known to be
// durable.
func (f *File) Restore(fsys vfs.FS, dir, name string) error {
	h := f.header
	for at, b := range f.Blocks() {
		if _, err := event.ParseSource(string(b.Source)); err != nil {
			return fmt.Errorf("restore journal file %s: the block at offset %d is whole, but of an unknown form: %w", f.Name, at, errForeign)
		}
	}
	var err error
	if !f.identified { // as Open does
		if h.relay, err = relayID(fsys, dir); err != nil {
			return err
		}
	}
	// Open of the spool removes a .part that a crash leaves.
	part := filepath.Join(dir, name+".part")
	w, err := fsys.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("restore journal file %s: %w", f.Name, err)
	}
	if err = f.copyTo(w, h); err == nil {
		err = w.Sync()
	}
	err = errors.Join(err, w.Close())
	if err == nil {
		err = fsys.Rename(part, filepath.Join(dir, name+Suffix))
	}
	if err != nil {
		err = errors.Join(err, fsys.Remove(part))
	} else {
		err = fsys.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("restore journal file %s as %s: %w", f.Name, name, err)
	}
	return nil
}

// copyTo writes a header and the whole blocks, byte for byte.
func (f *File) copyTo(w io.Writer, h fileHeader) error {
	out := bufio.NewWriterSize(w, 256<<10)
	_, err := out.Write(h.append(nil))
	for at, b := range f.Blocks() {
		if err != nil {
			return err
		}
		_, err = out.Write(f.data[at : at+blockHeaderSize+len(b.Source)+len(b.Texts)])
	}
	return errors.Join(err, out.Flush())
}
