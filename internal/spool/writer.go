package spool

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// bufferSize is how much is written at once. Larger data goes straight through.
const bufferSize = 256 << 10

// Writer writes the records of one generation. Not for concurrent use.
type Writer struct {
	spool   *Spool
	name    string
	part    string
	created time.Time
	f       vfs.File
	buf     *bufio.Writer
	scratch []byte
	salt    uint32
	size    int64 // with what is still in buf
	used    int64 // what the budget was told
	records []record
	events  uint64
	err     error // what ended the file
	stage   stage
}

type stage int

const (
	writing   stage = iota
	inPlace         // durable under its published name, not yet offered
	offered         // all is done
	abandoned       // the file was given up
)

// Create begins <name>.part. name is 16 digits, '-', 3 digits: generation and
// shard. There is one writer for a name at a time; a name that is published is
// an error, but for one whose done failed in Commit: that one is written anew.
func (s *Spool) Create(name string) (*Writer, error) {
	if !validName(name) {
		return nil, fmt.Errorf("create spool file: %q is not a generation and a shard", name)
	}
	if err := s.reserve(name); err != nil {
		return nil, fmt.Errorf("create spool file: %w", err)
	}
	w := &Writer{spool: s, name: name, part: s.path(name, unfinished), created: time.Now(), salt: salt(name)}
	var err error
	if w.f, err = s.createNew(w.part); err != nil {
		s.release(name)
		return nil, fmt.Errorf("create spool file: %w", err)
	}
	w.buf = bufio.NewWriterSize(counted{w}, bufferSize)
	w.write(appendHeader(nil, name, w.created))
	return w, nil
}

// reserve makes sure that one writer at a time has a name.
func (s *Spool) reserve(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[name] || s.files[name] != nil {
		return fmt.Errorf("%s is being written or published already", name)
	}
	s.writing[name] = true
	return nil
}

func (s *Spool) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, name)
}

// counted tells the budget what is written.
type counted struct{ w *Writer }

func (c counted) Write(p []byte) (int, error) {
	n, err := c.w.f.Write(p)
	c.w.used += int64(n)
	c.w.spool.budget.Use(int64(n))
	return n, err
}

func (w *Writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.buf.Write(p)
		w.size += int64(len(p))
	}
}

// Append adds a record; its index is the number of those before it. Data is
// copied or written before Append returns. Nothing is durable before Commit.
// After an error the file can only be given up: Abort, or Commit, which
// returns the error again.
func (w *Writer) Append(r event.Record) error {
	if w.err != nil {
		return w.err
	}
	if w.stage != writing {
		return fmt.Errorf("append to spool file %s: it is closed", w.name)
	}
	if err := check(r); err != nil {
		return fmt.Errorf("append to spool file %s: %w", w.name, err)
	}
	h := recordHeader{
		state: Waiting, listener: []byte(r.Listener), index: uint32(len(w.records)), events: uint32(r.Events), raw: r.RawBytes,
		data: uint32(len(r.Data)), dataSum: crc32.Checksum(r.Data, castagnoli),
	}
	m := record{offset: w.size, size: uint32(h.size()), data: h.data, events: h.events, index: h.index}
	w.spool.mu.Lock()
	m.listener = w.spool.listeners.of(r.Listener)
	w.spool.mu.Unlock()
	w.scratch = appendRecordHeader(w.scratch[:0], w.salt, h)
	w.write(w.scratch)
	w.write(r.Data)
	if w.err != nil {
		return fmt.Errorf("append to spool file %s: %w", w.part, w.err)
	}
	w.records = append(w.records, m)
	w.events += uint64(r.Events)
	return nil
}

// check tells what the format cannot hold.
func check(r event.Record) error {
	switch {
	case len(r.Data) == 0 || len(r.Data) > MaxData:
		return fmt.Errorf("a record of %d bytes, allowed are 1 to %d", len(r.Data), MaxData)
	case len(r.Listener) > MaxListener || r.Events < 0 || r.Events > math.MaxUint32 || r.RawBytes < 0:
		return fmt.Errorf("listener %q, %d messages of %d bytes are out of range", r.Listener, r.Events, r.RawBytes)
	}
	return nil
}

// Abort gives the file up and removes it. After Commit it does nothing.
func (w *Writer) Abort() error {
	if w.stage != writing {
		return nil
	}
	w.stage = abandoned
	w.err = fmt.Errorf("spool file %s was given up", w.name)
	_ = w.f.Close() // what is in it is not wanted
	w.spool.discard(w.part, w.used)
	w.spool.release(w.name)
	return nil
}
