// Package cwl writes and reads the documents that CloudWatch Logs subscriptions
// put into Firehose: JSON within gzip. docs/record-format.md is their
// specification. A Builder makes records, a Decoder reads what was delivered.
package cwl

import (
	"errors"
	"fmt"
	"strconv"

	"kinesyslog/internal/deflate"
)

const (
	// chunkSize is how much JSON is gathered before it goes to the
	// compressor: little enough to stay in the cache until then.
	chunkSize = 32 << 10
	// keepChunk is how large the chunk's buffer may stay after it had to grow
	// for a long text. A text of 64 KiB of control characters fits.
	keepChunk = 640 << 10

	tail = `]}`
)

// The first and last instant that have 13 digits in milliseconds since 1970.
const (
	minTimestamp = 1_000_000_000_000
	maxTimestamp = 9_999_999_999_999
)

// ErrNoEvents says that a document was closed that is not open or has no
// events. Such a document must not be sent.
var ErrNoEvents = errors.New("document has no events")

// Builder makes one record at a time: one gzip member, deterministic, that
// holds one document. It takes 0.4 MiB besides the record it has made, and up to
// 1.1 with a level that is not 4, 5 or 6; once warm, it allocates nothing. Not for
// concurrent use.
type Builder struct {
	gz    compressor
	chunk []byte         // JSON that the compressor has not seen
	hints []deflate.Hint // of the chunk
	given int            // bytes of JSON that it has seen
	last  int            // where in the JSON the comma before the last event is, or would be
	level int            // of gz

	head   []byte // the document's beginning
	name   []byte // scratch for appendName
	events int
	open   bool
	err    error

	timestamp int64 // that digits shows
	digits    [13]byte
}

// NewBuilder returns a Builder for a gzip level from 1 to 9.
func NewBuilder(level int) (*Builder, error) {
	b := &Builder{chunk: make([]byte, 0, chunkSize+chunkSize/2)}
	b.setTimestamp(minTimestamp)
	if err := b.SetLevel(level); err != nil {
		return nil, err
	}
	return b, nil
}

// SetLevel changes the gzip level, 1 to 9, and gives up a document that is open.
// A new compressor takes the place of the old one, so that memory does not grow
// with the number of levels used. The level that is set already costs nothing.
func (b *Builder) SetLevel(level int) error {
	if level < 1 || level > 9 {
		return fmt.Errorf("gzip level %d: must be from 1 to 9", level)
	}
	b.open = false
	if level == b.level {
		return nil
	}
	gz, err := newCompressor(level)
	if err != nil {
		return err
	}
	b.gz, b.level = gz, level
	return nil
}

// Level returns the gzip level that is set.
func (b *Builder) Level() int { return b.level }

// Open begins a document. One that was open is given up, and what Close
// returned becomes invalid. Empty names become "-", an empty owner
// "000000000000": consumers refuse empty strings.
func (b *Builder) Open(owner, group, stream string) {
	if owner == "" {
		owner = "000000000000"
	}
	if group == "" {
		group = "-"
	}
	if stream == "" {
		stream = "-"
	}
	b.head = append(b.head[:0], `{"messageType":"DATA_MESSAGE","owner":"`...)
	b.appendName(owner)
	b.head = append(b.head, `","logGroup":"`...)
	b.appendName(group)
	b.head = append(b.head, `","logStream":"`...)
	b.appendName(stream)
	b.head = append(b.head, `","subscriptionFilters":["`...)
	b.appendName(group)
	b.head = append(b.head, `"],"logEvents":[`...)
	if cap(b.chunk) > keepChunk {
		b.chunk = make([]byte, 0, chunkSize+chunkSize/2)
	}
	b.restart()
}

func (b *Builder) appendName(name string) {
	b.name = append(b.name[:0], name...) // a conversion would allocate
	b.head = AppendText(b.head, b.name)
}

// restart makes the document an empty one.
func (b *Builder) restart() {
	b.gz.reset()
	b.chunk = append(b.chunk[:0], b.head...)
	b.hints = b.hints[:0]
	b.given, b.events, b.open, b.err = 0, 0, true, nil
}

// Add appends an event whose message is header followed by text, both as
// AppendText writes them. header may be empty. The timestamp is in
// milliseconds since 1970; one that does not have 13 digits becomes the nearest
// that has. Add copies what it needs.
//
// ok is false if the event does not fit: then nothing was added, and the
// document should be closed and the next one opened. Header and text of
// MaxText bytes together always fit into an empty document whose names are
// not longer than CloudWatch's (512 characters); longer ones fit as long as
// they stay within MaxJSON and MaxRecord. Without an open document ok is false.
func (b *Builder) Add(id *ID, timestamp int64, header, text []byte) (ok bool) {
	// JSON is never shorter than the text, so this only spares the work.
	if !b.open || b.given+len(b.chunk)+len(header)+len(text) > MaxJSON {
		return false
	}
	mark, hints, begin := len(b.chunk), len(b.hints), b.given+len(b.chunk)
	b.appendEvent(id, timestamp, header, text)
	if !b.fits() || b.events > 0 && !b.surelyFits() {
		b.chunk, b.hints = b.chunk[:mark], b.hints[:hints]
		return false
	}
	if !b.surelyFits() && !b.turnsOutToFit() {
		b.restart()
		return false
	}
	if b.last = begin; b.events == 0 {
		b.last-- // there is none before the first
	}
	b.events++
	if len(b.chunk) >= chunkSize {
		b.compress()
	}
	return true
}

func (b *Builder) appendEvent(id *ID, timestamp int64, header, text []byte) {
	if timestamp != b.timestamp {
		b.setTimestamp(timestamp)
	}
	c := b.chunk
	if b.events > 0 {
		c = append(c, ',')
	}
	c = append(c, `{"id":"`...)
	c = append(c, id.digits[:]...)
	c = append(c, `","timestamp":`...)
	c = append(c, b.digits[:]...)
	c = append(c, `,"message":"`...)
	if b.events > 0 {
		// Between two texts, from the end of the one to the beginning of the
		// other, there stands what did so last time, but for some digits.
		from := max(len(b.chunk)-len(`"}`), 0)
		b.hints = append(b.hints, deflate.Hint{Offset: from, Length: len(c) - from, Distance: b.given + len(b.chunk) - b.last})
	}
	c = AppendText(c, header)
	c = AppendText(c, text)
	b.chunk = append(c, `"}`...)
}

func (b *Builder) setTimestamp(t int64) {
	b.timestamp = t
	strconv.AppendInt(b.digits[:0], min(max(t, minTimestamp), maxTimestamp), 10)
}

// compress hands the chunk to the compressor.
func (b *Builder) compress() {
	b.given += len(b.chunk)
	if err := b.gz.write(b.chunk, b.hints); err != nil && b.err == nil {
		b.err = err
	}
	b.chunk, b.hints = b.chunk[:0], b.hints[:0]
}

// Events returns how many events the open document has.
func (b *Builder) Events() int { return b.events }

// Close ends the document and returns the record, which is valid until the
// next Open. The error is ErrNoEvents if there is nothing to send.
func (b *Builder) Close() ([]byte, error) {
	if !b.open || b.events == 0 {
		b.open = false
		return nil, ErrNoEvents
	}
	b.open = false
	b.chunk = append(b.chunk, tail...)
	b.compress()
	if b.err != nil {
		return nil, fmt.Errorf("compressing a document: %w", b.err)
	}
	record, err := b.gz.close()
	if err != nil {
		return nil, fmt.Errorf("compressing a document: %w", err)
	}
	// surelyFits builds on how the compressor works, so it is not trusted.
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("record of %d bytes is longer than the %d that Firehose takes", len(record), MaxRecord)
	}
	return record, nil
}
