package cwl

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// errTooLong says that a document did not end where it should have by far.
var errTooLong = errors.New("longer than a Decoder takes")

// input is a reader that keeps what it has read since the last discard, so
// that one can go back there: a damaged member may have swallowed sound ones.
// It is an io.ByteReader so that inflating takes no byte too many.
type input struct {
	r     io.Reader
	limit int // how many bytes it may keep
	buf   []byte
	mark  int   // buf[mark:] is kept
	pos   int   // the next byte is buf[pos]
	base  int64 // offset of buf[0] in r
	err   error // what r said at the end; all before it is in buf or gone
}

// fill gets more bytes behind those in buf. Its error is that of r, or
// errTooLong when it would have to keep more than limit.
func (in *input) fill() error {
	if in.err != nil {
		return in.err
	}
	if in.mark > 0 {
		in.buf = in.buf[:copy(in.buf, in.buf[in.mark:])]
		in.base += int64(in.mark)
		in.pos -= in.mark
		in.mark = 0
	}
	if len(in.buf) >= in.limit {
		return errTooLong
	}
	in.buf = slices.Grow(in.buf, 32<<10)
	for range 100 {
		n, err := in.r.Read(in.buf[len(in.buf):cap(in.buf)])
		in.buf = in.buf[:len(in.buf)+n]
		in.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	in.err = io.ErrNoProgress
	return in.err
}

// Read implements io.Reader.
func (in *input) Read(p []byte) (int, error) {
	if in.pos == len(in.buf) {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buf[in.pos:])
	in.pos += n
	return n, nil
}

// ReadByte implements io.ByteReader.
func (in *input) ReadByte() (byte, error) {
	if in.pos == len(in.buf) {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	c := in.buf[in.pos]
	in.pos++
	return c, nil
}

// offset returns where in r the next byte is.
func (in *input) offset() int64 { return in.base + int64(in.pos) }

// discard forgets what was read.
func (in *input) discard() { in.mark = in.pos }

// rewind goes back to n bytes after where discard was called last.
func (in *input) rewind(n int) { in.pos = in.mark + n }

// peek returns the next n bytes, or fewer before the end or an error.
func (in *input) peek(n int) []byte {
	for len(in.buf)-in.pos < n && in.fill() == nil {
	}
	return in.buf[in.pos:min(in.pos+n, len(in.buf))]
}

// The marks by which the beginning of a document is known among other bytes.
const (
	gzipHeader   = "\x1f\x8b\x08"
	gzipHeadSize = 10
	jsonHead     = `{"messageType"`
)

// find goes to the next place where a document may begin and tells whether
// there is one.
func (in *input) find() bool {
	for {
		b := in.peek(len(jsonHead))
		if len(b) == 0 {
			return false
		}
		rest := in.buf[in.pos:]
		i := bytes.IndexAny(rest, "\x1f{")
		switch {
		case i < 0:
			in.pos = len(in.buf)
		case i > 0:
			in.pos += i
		case begins(b):
			return true
		default:
			in.pos++
		}
		in.discard()
	}
}

// begins tells whether b begins as a document does. Of a gzip header all ten
// bytes are looked at (RFC 1952 section 2.3.1), since three of them come about
// by chance in compressed data once in 16 MiB.
func begins(b []byte) bool {
	if bytes.HasPrefix(b, []byte(jsonHead)) {
		return true
	}
	if len(b) < gzipHeadSize || !bytes.HasPrefix(b, []byte(gzipHeader)) {
		return false
	}
	flags, extra, system := b[3], b[8], b[9]
	return flags < 0x20 && (extra == 0 || extra == 2 || extra == 4) && (system <= 13 || system == 255)
}
