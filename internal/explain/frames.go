package explain

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Framing says how messages are parted in a stream. It is stricter than what the
// relay takes, so that a message can hold any bytes.
type Framing string

// The framings there are.
const (
	Newline Framing = "newline" // LF or CR LF ends a message
	NUL     Framing = "nul"     // NUL ends a message
	Octet   Framing = "octet"   // "LEN SP MSG", RFC 6587 section 3.4.1
)

// maxFrame bounds a message.
const maxFrame = 64 << 20

// Frames yields the messages of a stream; each is valid until the next is asked
// for. Lines without anything in them are passed over; a frame of no octets is
// an empty message. After an error, which says where, nothing follows.
func Frames(r *bufio.Reader, framing Framing) iter.Seq2[[]byte, error] {
	f := &frames{r: r}
	switch framing {
	case Octet:
		return f.all(f.octets)
	case NUL:
		return f.all(func() ([]byte, error) { return f.until(0) })
	case Newline:
		return f.all(func() ([]byte, error) {
			line, err := f.until('\n')
			return bytes.TrimSuffix(line, []byte("\r")), err
		})
	}
	return func(yield func([]byte, error) bool) {
		yield(nil, fmt.Errorf("there is no framing %q: give newline, octet or nul", framing))
	}
}

type frames struct {
	r   *bufio.Reader
	buf []byte
	at  int64 // bytes before the frame at hand
}

func (f *frames) all(next func() ([]byte, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			message, err := next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading messages at byte %d: %w", f.at, err))
				return
			}
			if !yield(message, nil) {
				return
			}
		}
	}
}

// until reads up to a byte that ends messages, or the end of the stream.
func (f *frames) until(end byte) ([]byte, error) {
	for {
		f.buf = f.buf[:0]
		var err error
		for {
			var part []byte
			part, err = f.r.ReadSlice(end)
			f.buf = append(f.buf, part...)
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
			if len(f.buf) > maxFrame {
				return nil, fmt.Errorf("a message of more than %d bytes", maxFrame)
			}
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(f.buf) == 0) {
			return nil, err
		}
		f.at += int64(len(f.buf))
		message := bytes.TrimSuffix(f.buf, []byte{end})
		if len(bytes.TrimSuffix(message, []byte("\r"))) > 0 {
			return message, nil
		}
	}
}

// octets reads one counted frame.
func (f *frames) octets() ([]byte, error) {
	count, digits := 0, int64(0)
	for {
		c, err := f.r.ReadByte()
		if errors.Is(err, io.EOF) && digits > 0 {
			return nil, errors.New("the stream ends within a count")
		}
		if err != nil {
			return nil, err
		}
		if c == ' ' && digits > 0 {
			break
		}
		if c == '\n' && digits == 0 && f.ends() {
			return nil, io.EOF // an editor or echo put it there
		}
		if c < '0' || c > '9' {
			return nil, fmt.Errorf("%q where a count of octets and a space should be: give --framing newline for lines", c)
		}
		if count = count*10 + int(c-'0'); count > maxFrame {
			return nil, fmt.Errorf("a count of more than %d octets", maxFrame)
		}
		digits++
	}
	f.buf = append(f.buf[:0], make([]byte, min(count, 64<<10))...)
	for got := 0; got < count; {
		n, err := io.ReadFull(f.r, f.buf[got:])
		if got += n; err != nil {
			return nil, fmt.Errorf("%d octets are announced, and the stream ends after %d", count, got)
		}
		f.buf = append(f.buf, make([]byte, min(count-got, len(f.buf)))...)
	}
	f.at += digits + 1 + int64(count)
	return f.buf, nil
}

// ends tells whether the stream is at its end.
func (f *frames) ends() bool {
	_, err := f.r.Peek(1)
	return errors.Is(err, io.EOF)
}
