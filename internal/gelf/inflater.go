package gelf

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// Errors of Inflate.
var (
	// ErrTooLong: the text is longer than allowed; only its head was inflated.
	ErrTooLong = errors.New("gelf: decompressed message is too long")
	// ErrDamaged: the compressed data is broken, cut off, or fails its checksum.
	ErrDamaged = errors.New("gelf: compressed message is damaged")
)

// Inflater decompresses messages, one at a time. It keeps its readers and its
// buffer between messages: about 100 KiB, and the longest text so far.
// Not for concurrent use.
type Inflater struct {
	limit int
	src   bytes.Reader
	zlib  io.ReadCloser
	gzip  *gzip.Reader
	out   []byte
}

// NewInflater returns an Inflater for texts of at most limit bytes.
func NewInflater(limit int) *Inflater { return &Inflater{limit: limit} }

// Inflate decompresses b, which is Zlib or Gzip. The text is valid until the
// next call. With ErrTooLong, which costs no more than a text of the allowed
// length, and with ErrDamaged the text is what came before the fault; the
// checksum covers none of it. Bytes after the compressed data are ignored.
func (f *Inflater) Inflate(kind Kind, b []byte) ([]byte, error) {
	f.src.Reset(b)
	r, err := f.reader(kind)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	f.out = f.out[:0]
	for {
		if len(f.out) == cap(f.out) {
			f.grow()
		}
		n, err := r.Read(f.out[len(f.out):cap(f.out)])
		f.out = f.out[:len(f.out)+n]
		switch {
		case len(f.out) > f.limit:
			return f.out[:f.limit], ErrTooLong
		case err == io.EOF:
			return f.out, nil
		case err != nil:
			return f.out, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
}

// grow doubles the buffer, up to one byte more than the limit: that byte tells
// a text of the allowed length from a longer one.
func (f *Inflater) grow() {
	size := min(max(2*cap(f.out), 4096), f.limit+1)
	f.out = append(make([]byte, 0, size), f.out...)
}

func (f *Inflater) reader(kind Kind) (io.Reader, error) {
	var err error
	switch kind {
	case Zlib:
		if f.zlib == nil {
			f.zlib, err = zlib.NewReader(&f.src)
		} else {
			err = f.zlib.(zlib.Resetter).Reset(&f.src, nil)
		}
		return f.zlib, err
	case Gzip:
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		err = f.gzip.Reset(&f.src)
		f.gzip.Multistream(false)
		return f.gzip, err
	}
	return nil, errors.New("neither zlib nor gzip")
}
