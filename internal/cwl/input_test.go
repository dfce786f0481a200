package cwl

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestErrorsOfTheReaderAreNotDamage(t *testing.T) {
	broken := errors.New("connection reset")
	object := join(record(t, "a"), record(t, "b"))
	for _, size := range []int{0, 5, len(object) / 2, len(object) - 1, len(object)} {
		d := NewDecoder(io.MultiReader(bytes.NewReader(object[:size]), iotest.ErrReader(broken)))
		var err error
		for err == nil {
			_, err = d.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want the reader's error", size, err)
		}
		if _, err := d.Next(); !errors.Is(err, broken) {
			t.Errorf("after %d bytes, called again: %v, want the reader's error", size, err)
		}
	}
	d := NewDecoder(iotest.ErrReader(nil)) // never data, never an error
	if _, err := d.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("reader without progress: %v", err)
	}
}

func TestMemberThatInflatesBeyondTheLimitIsDamage(t *testing.T) {
	const limit = 1 << 20
	for _, test := range []struct {
		spaces int // what inflates, then a document
		want   string
	}{{limit / 2, "in it"}, {limit, "after"}} {
		bomb := gzipped(t, join(bytes.Repeat([]byte(" "), test.spaces), inflate(t, record(t, "in it"))))
		d := NewDecoder(bytes.NewReader(join(bomb, record(t, "after"))))
		d.in.limit = limit
		doc, err := d.Next()
		if test.want == "after" {
			if !errors.Is(err, errTooLong) {
				t.Errorf("%d bytes: %v, want an error for the length", test.spaces, err)
			}
			doc, err = d.Next()
		}
		if err != nil || doc.LogEvents[0].Message != test.want {
			t.Errorf("%d bytes: %v %v, want %q", test.spaces, doc, err, test.want)
		}
	}
}

// A member may go on for ever without inflating to anything, in empty stored
// blocks, and a document may be one long string.
func TestDocumentWithoutEndIsDamageAndNotKept(t *testing.T) {
	const limit = 1 << 20
	tests := map[string]struct{ start, rest string }{
		"gzip": {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "\x00\x00\x00\xff\xff"},
		"JSON": {`{"messageType":"`, "DATA_"},
	}
	for name, test := range tests {
		rest := io.LimitReader(&repeater{pattern: []byte(test.rest)}, 5*limit)
		d := NewDecoder(io.MultiReader(strings.NewReader(test.start), rest, bytes.NewReader(record(t, "after"))))
		d.in.limit = limit
		_, err := d.Next()
		var damage *DamageError
		if !errors.As(err, &damage) || damage.Offset != 0 || !errors.Is(err, errTooLong) {
			t.Fatalf("%s: %v, want damage at 0 for its length", name, err)
		}
		doc, err := d.Next()
		if err != nil || doc.LogEvents[0].Message != "after" {
			t.Fatalf("%s: %v %v, want the record after it", name, doc, err)
		}
		if cap(d.in.buf) > 2*limit {
			t.Errorf("%s: %d bytes held", name, cap(d.in.buf))
		}
	}
}

// repeater reads as its pattern again and again.
type repeater struct {
	pattern []byte
	at      int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.pattern[r.at]
		r.at = (r.at + 1) % len(r.pattern)
	}
	return len(p), nil
}
