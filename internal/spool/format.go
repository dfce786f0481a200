package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Sizes and limits of the format, in bytes.
const (
	headerSize = 64
	recordSize = 36 // without the listener's name and the data
	reasonSize = 12 // without the text
	footerSize = 32
	nameSize   = 20 // 16 digits, '-', 3 digits

	// MaxData is the most bytes that one record may have: those of a call.
	MaxData = 4 << 20
	// MaxListener is the longest name of a listener.
	MaxListener = 255
	// MaxReason is how much of a reason is kept with a dead letter.
	MaxReason = 4096

	version     = 1
	stateOffset = 4 // of the state byte in a record
)

const (
	headerMagic  = "KSLGSPL1"
	recordMarker = "KREC"
	reasonMarker = "KRSN"
	footerMagic  = "KSLGEND1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errVersion = errors.New("written by a newer version of kinesyslog")
	errNotOurs = errors.New("no sound file header")
	errRecord  = errors.New("no sound record header")
	errCut     = errors.New("record is cut off by the end of the file")
	errData    = errors.New("checksum of the data does not match")
	errFooter  = errors.New("no commit mark")
)

// State is what has become of a record. Its byte in the file is the only one
// that changes after the file was written. Whatever is none of these counts as
// Waiting, and no single bit makes one of them another: a flipped bit at worst
// sends a record twice.
type State byte

// The states.
const (
	Waiting   State = 'W'
	Delivered State = 'D'
	Dead      State = 'X' // lives on as a dead letter
	Damaged   State = 'B' // given up, booked as dropped
)

// String returns the name that people read.
func (s State) String() string {
	switch s {
	case Delivered:
		return "delivered"
	case Dead:
		return "dead"
	case Damaged:
		return "damaged"
	}
	return "waiting"
}

// validName tells whether a name is a generation and a shard.
func validName(name string) bool {
	if len(name) != nameSize || name[16] != '-' {
		return false
	}
	for i := range len(name) {
		if i != 16 && (name[i] < '0' || name[i] > '9') {
			return false
		}
	}
	return true
}

// timeOf is when a generation began, by its name.
func timeOf(name string) time.Time {
	if !validName(name) {
		return time.Time{}
	}
	var ms int64
	for _, c := range []byte(name[:16]) {
		ms = ms*10 + int64(c-'0')
	}
	return time.UnixMilli(ms)
}

// salt is what a record's checksum begins with, so that a record of another
// file is never taken for one of this file.
func salt(name string) uint32 { return crc32.Checksum([]byte(name), castagnoli) }

func appendHeader(dst []byte, name string, created time.Time) []byte {
	at := len(dst)
	dst = append(dst, headerMagic...)
	dst = binary.LittleEndian.AppendUint16(dst, version)
	dst = append(dst, 0, 0, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(created.UnixMicro()))
	dst = append(dst, name...)
	dst = append(dst, make([]byte, headerSize-(len(dst)-at))...)
	binary.LittleEndian.PutUint32(dst[at+12:], headerSum(dst[at:]))
	return dst
}

// headerSum is the checksum of all but the checksum.
func headerSum(h []byte) uint32 {
	return crc32.Update(crc32.Checksum(h[:12], castagnoli), castagnoli, h[16:headerSize])
}

// parseHeader returns errNotOurs or errVersion.
func parseHeader(h []byte) (name string, created time.Time, err error) {
	if len(h) < headerSize || string(h[:8]) != headerMagic || binary.LittleEndian.Uint32(h[12:]) != headerSum(h) {
		return "", time.Time{}, errNotOurs
	}
	if v := binary.LittleEndian.Uint16(h[8:]); v != version {
		return "", time.Time{}, fmt.Errorf("version %d: %w", v, errVersion)
	}
	name = string(bytes.TrimRight(h[24:56], "\x00"))
	if !validName(name) {
		return "", time.Time{}, errNotOurs
	}
	return name, time.UnixMicro(int64(binary.LittleEndian.Uint64(h[16:]))), nil
}

// recordHeader is what stands before a record's data.
type recordHeader struct {
	state    State
	listener []byte
	index    uint32
	events   uint32
	raw      int64
	data     uint32 // length
	dataSum  uint32
}

// size is the length of header, listener and data together.
func (h *recordHeader) size() int64 { return recordSize + int64(len(h.listener)) + int64(h.data) }

func appendRecordHeader(dst []byte, salt uint32, h recordHeader) []byte {
	at := len(dst)
	dst = append(dst, recordMarker...)
	dst = append(dst, byte(h.state), 0)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(h.listener)))
	dst = binary.LittleEndian.AppendUint32(dst, h.index)
	dst = binary.LittleEndian.AppendUint32(dst, h.events)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.raw))
	dst = binary.LittleEndian.AppendUint32(dst, h.data)
	dst = binary.LittleEndian.AppendUint32(dst, h.dataSum)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, h.listener...)
	binary.LittleEndian.PutUint32(dst[at+32:], recordSum(dst[at:], salt))
	return dst
}

// recordSum is the checksum of header and listener without the state byte.
func recordSum(b []byte, salt uint32) uint32 {
	sum := crc32.Update(salt, castagnoli, b[:stateOffset])
	sum = crc32.Update(sum, castagnoli, b[stateOffset+1:32])
	return crc32.Update(sum, castagnoli, b[recordSize:])
}

// parseRecordHeader reads the header at the start of b, which holds as many
// bytes as the file has there, up to recordSize+MaxListener. The listener
// aliases b.
func parseRecordHeader(b []byte, salt uint32) (h recordHeader, err error) {
	if len(b) < recordSize || string(b[:4]) != recordMarker {
		return h, errRecord
	}
	n := int(binary.LittleEndian.Uint16(b[6:]))
	if n > MaxListener || len(b) < recordSize+n {
		return h, errRecord
	}
	h = recordHeader{
		state:    State(b[stateOffset]),
		listener: b[recordSize : recordSize+n],
		index:    binary.LittleEndian.Uint32(b[8:]),
		events:   binary.LittleEndian.Uint32(b[12:]),
		raw:      int64(binary.LittleEndian.Uint64(b[16:])),
		data:     binary.LittleEndian.Uint32(b[24:]),
		dataSum:  binary.LittleEndian.Uint32(b[28:]),
	}
	if binary.LittleEndian.Uint32(b[32:]) != recordSum(b[:recordSize+n], salt) || h.data > MaxData || h.raw < 0 {
		return h, errRecord
	}
	return h, nil
}

// parseRecord reads a whole record and checks all of it. The data alias b.
func parseRecord(b []byte, salt uint32) (h recordHeader, data []byte, err error) {
	if h, err = parseRecordHeader(b, salt); err != nil {
		return h, nil, err
	}
	if int64(len(b)) < h.size() {
		return h, nil, errCut
	}
	data = b[recordSize+len(h.listener) : h.size() : h.size()]
	if crc32.Checksum(data, castagnoli) != h.dataSum {
		return h, nil, errData
	}
	return h, data, nil
}
