package cwl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// MaxMember is the most bytes of a gzip member that a Decoder takes, as it
// lies in the object and inflated, and of a document that is not compressed.
const MaxMember = 64 << 20

// maxDepth is how deep gzip may be nested: once by kinesyslog and once more by
// a delivery stream that is set to compress what it writes to S3.
const maxDepth = 2

// DamageError says that what begins at Offset is no sound document. Reading can
// go on.
type DamageError struct {
	Offset int64 // in the object, of the member or document that is damaged
	Err    error
}

func (e *DamageError) Error() string { return fmt.Sprintf("damage at byte %d: %v", e.Offset, e.Err) }

// Unwrap returns what is wrong there.
func (e *DamageError) Unwrap() error { return e.Err }

// Decoder reads documents from an object as Firehose writes it to S3: gzip
// members one after another, each with one document or several; documents that
// are not compressed; and gzip members within a gzip member. White space may
// stand between them. It streams and holds at most MaxMember bytes of the
// object and of each level of inflated content. Not for concurrent use.
type Decoder struct {
	in      input
	depth   int          // how many layers of gzip this is within
	gz      *gzip.Reader // of the current member
	content bytes.Buffer // of the current member
	inner   *Decoder     // reads content; nil when that is done with
	member  int64        // offset of the current member
	lost    bool         // the way to the next document must be searched for
}

// NewDecoder returns a Decoder that reads from r. It buffers by itself.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{in: input{r: r, limit: MaxMember}} }

// Next returns the next document. At the end the error is io.EOF. A
// *DamageError tells of a member or document that cannot be read, or of bytes
// that are neither; the next call goes on with the next gzip header or
// document that is found after the damaged one's first byte. Any other error
// is the reader's and final.
func (d *Decoder) Next() (*Document, error) {
	for {
		if d.inner != nil {
			doc, err := d.inner.Next()
			if err != io.EOF {
				return doc, d.within(err)
			}
			d.inner = nil
		}
		d.in.discard()
		if !d.seek() {
			return nil, d.in.err
		}
		d.member = d.in.offset()
		doc, err := d.read()
		if err != nil {
			// Only what the reader itself reports is not damage.
			if d.in.err != nil && d.in.err != io.EOF {
				return nil, d.in.err
			}
			d.in.rewind(1)
			d.lost = true
			return nil, &DamageError{Offset: d.member, Err: err}
		}
		if doc != nil {
			return doc, nil
		}
	}
}

// seek goes to where the next document begins, or should begin, and leaves
// nothing before it in the buffer. false: the input has ended.
func (d *Decoder) seek() bool {
	if d.lost {
		d.lost = false
		if !d.in.find() {
			return false
		}
	}
	for {
		b := d.in.peek(1)
		if len(b) == 0 {
			return false
		}
		if b[0] != ' ' && b[0] != '\n' && b[0] != '\r' && b[0] != '\t' {
			return true
		}
		d.in.pos++
		d.in.discard()
	}
}

// read reads what begins here: a document, or a member, whose documents inner
// then has.
func (d *Decoder) read() (*Document, error) {
	if b := d.in.peek(len(gzipHeader)); string(b) == gzipHeader {
		return nil, d.readMember()
	} else if b[0] != '{' {
		return nil, errors.New("neither gzip nor a JSON object")
	}
	return d.readDocument()
}

func (d *Decoder) readDocument() (*Document, error) {
	values := json.NewDecoder(&d.in)
	var doc Document
	if err := values.Decode(&doc); err != nil {
		return nil, fmt.Errorf("document: %w", unexpected(err))
	}
	if doc.MessageType == "" {
		return nil, errors.New("JSON object without messageType: no CloudWatch Logs document")
	}
	d.in.rewind(int(values.InputOffset())) // it has read ahead
	return &doc, nil
}

func (d *Decoder) readMember() (err error) {
	if d.depth == maxDepth {
		return fmt.Errorf("gzip within gzip more than %d deep", maxDepth)
	}
	if d.gz == nil {
		d.gz, err = gzip.NewReader(&d.in)
	} else {
		err = d.gz.Reset(&d.in)
	}
	if err != nil {
		d.gz = nil
		return fmt.Errorf("gzip header: %w", unexpected(err))
	}
	d.gz.Multistream(false)
	d.content.Reset()
	n, err := d.content.ReadFrom(io.LimitReader(d.gz, int64(d.in.limit)+1))
	if err != nil {
		return fmt.Errorf("gzip member: %w", err)
	}
	if n > int64(d.in.limit) {
		return fmt.Errorf("gzip member, inflated: %w", errTooLong)
	}
	d.inner = &Decoder{in: input{buf: d.content.Bytes(), err: io.EOF, limit: d.in.limit}, depth: d.depth + 1}
	return nil
}

// within makes an offset in the content of the current member one in the
// object.
func (d *Decoder) within(err error) error {
	var damage *DamageError
	if !errors.As(err, &damage) {
		return err
	}
	return &DamageError{Offset: d.member, Err: fmt.Errorf("byte %d of the gzip member's content: %w", damage.Offset, damage.Err)}
}

// unexpected makes an end of input what it is in the middle of a document.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
