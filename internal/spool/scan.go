package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"kinesyslog/internal/vfs"
)

// windowSize is what is read at once: a header and its neighbours in a file of
// small records, one page in one of large ones.
const windowSize = 4096 + recordSize + MaxListener

// maxFailures is how many read errors a scan bears before it gives the rest of
// a file up. Each may take a failing disk seconds.
const maxFailures = 8

// RecordInfo is what a record's header says.
type RecordInfo struct {
	Index    int
	Offset   int64 // of the header in the file
	Size     int64 // of header, listener and data
	State    State
	Listener string
	Events   int
	RawBytes int64
	Data     int  // bytes of data
	Cut      bool // the file ends before the data does
}

// Damage is a part of a file that holds nothing that could be read.
type Damage struct {
	Offset int64
	Bytes  int64
	Err    error
}

// Error implements error.
func (d Damage) Error() string {
	return fmt.Sprintf("offset %d, %d bytes: %v", d.Offset, d.Bytes, d.Err)
}

// Info is the structure of a spool file or a dead letter.
type Info struct {
	Name     string // generation and shard
	Created  time.Time
	Size     int64
	Complete bool // has its commit mark
	Records  []RecordInfo
	Reason   string   // of a dead letter
	Damage   []Damage // in the order of the file

	// MissingRecords and MissingEvents are what the commit mark counts and
	// Records does not have. Both are 0 where there is no commit mark.
	MissingRecords int
	MissingEvents  int64
}

// scanner reads the structure of a file without its data.
type scanner struct {
	f         vfs.File
	salt      uint32
	info      Info
	listeners map[string]string

	window   []byte
	start    int64 // of the window in the file
	failures int
}

// scan reads the structure of a file. fallback is its name without suffix,
// which is believed when the header is damaged. The error says that nothing
// could be read, or that a newer version wrote it; damage is no error.
func scan(f vfs.File, fallback string) (*Info, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s := &scanner{
		f: f, listeners: map[string]string{}, window: make([]byte, 0, windowSize),
		info: Info{Name: fallback, Created: timeOf(fallback), Size: stat.Size()},
	}
	h, err := s.at(0, headerSize)
	if err != nil {
		return nil, err
	}
	switch name, created, err := parseHeader(h); {
	case errors.Is(err, errVersion):
		return nil, err
	case err != nil:
		s.damaged(0, min(headerSize, s.info.Size), err)
	default:
		s.info.Name, s.info.Created = name, created
	}
	s.salt = salt(s.info.Name)
	s.body()
	return &s.info, nil
}

// body reads footer and records.
func (s *scanner) body() {
	end := s.info.Size
	var mark footer
	if tail, err := s.at(end-footerSize, footerSize); err == nil {
		if mark, err = parseFooter(tail, end); err == nil {
			s.info.Complete, end = true, end-footerSize
		}
	}
	var events int64
	next := 0
	for off := min(int64(headerSize), end); off < end; {
		r, size, err := s.record(off, end, next)
		if err != nil {
			found := s.find(off+1, end, next)
			s.damaged(off, found-off, err)
			off = found
			continue
		}
		off += size
		if r != nil {
			s.info.Records = append(s.info.Records, *r)
			events += int64(r.Events)
			next = r.Index + 1
		}
	}
	if !s.info.Complete {
		// Where something else is damaged, it is most likely that.
		if len(s.info.Damage) == 0 {
			s.damaged(end, 0, errFooter)
		}
		return
	}
	s.info.MissingRecords = max(0, int(mark.records)-len(s.info.Records))
	s.info.MissingEvents = max(0, int64(mark.events)-events)
	if s.info.MissingRecords > 0 && len(s.info.Damage) == 0 {
		s.damaged(end, 0, fmt.Errorf("%d records are missing", s.info.MissingRecords))
	}
}

// record reads what stands at an offset: a record, or the reason of a dead
// letter, and then r is nil.
func (s *scanner) record(off, end int64, next int) (r *RecordInfo, size int64, err error) {
	b, err := s.at(off, int(min(recordSize+MaxListener, end-off)))
	if err != nil {
		return nil, 0, err
	}
	if bytes.HasPrefix(b, []byte(reasonMarker)) {
		if b, err = s.at(off, int(min(reasonSize+MaxReason, end-off))); err != nil {
			return nil, 0, err
		}
		reason, n := parseReason(b, s.salt)
		if n == 0 {
			return nil, 0, errRecord
		}
		s.info.Reason = reason
		return nil, int64(n), nil
	}
	h, err := parseRecordHeader(b, s.salt)
	if err != nil || int64(h.index) < int64(next) {
		return nil, 0, errRecord
	}
	name, ok := s.listeners[string(h.listener)]
	if !ok {
		name = string(h.listener)
		s.listeners[name] = name
	}
	r = &RecordInfo{
		Index: int(h.index), Offset: off, Size: h.size(), State: h.state, Listener: name,
		Events: int(h.events), RawBytes: h.raw, Data: int(h.data),
	}
	if off+r.Size > end {
		r.Cut = true
		s.damaged(off, end-off, errCut)
		return r, end - off, nil
	}
	return r, r.Size, nil
}

// find returns the offset of the next record that can be read, or end.
func (s *scanner) find(off, end int64, next int) int64 {
	for off < end {
		b, err := s.at(off, int(min(4096, end-off)))
		if err != nil {
			if s.failures >= maxFailures {
				return end
			}
			off += 4096
			continue
		}
		i := bytes.Index(b, []byte(recordMarker))
		if i < 0 {
			off += int64(max(1, len(b)-len(recordMarker)+1))
			continue
		}
		off += int64(i)
		if header, err := s.at(off, int(min(recordSize+MaxListener, end-off))); err == nil {
			if h, err := parseRecordHeader(header, s.salt); err == nil && int64(h.index) >= int64(next) {
				return off
			}
		}
		off++
	}
	return end
}

func (s *scanner) damaged(off, n int64, err error) {
	s.info.Damage = append(s.info.Damage, Damage{Offset: off, Bytes: n, Err: err})
}

// at returns n bytes at an offset, fewer at the end of the file. They are valid
// until the next call.
func (s *scanner) at(off int64, n int) ([]byte, error) {
	if off < 0 {
		return nil, nil
	}
	if off < s.start || off+int64(n) > s.start+int64(len(s.window)) {
		got, err := s.f.ReadAt(s.window[:cap(s.window)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			s.failures++
			s.window = s.window[:0]
			return nil, err
		}
		s.start, s.window = off, s.window[:got]
	}
	b := s.window[off-s.start:]
	return b[:min(n, len(b))], nil
}
