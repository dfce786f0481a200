// Package event holds what the stages hand to each other: who sent a message,
// the messages themselves, and the records made from them. It knows no format
// and does no I/O.
package event

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
)

// Source is one sender as one listener sees it. It is what a log group and a
// log stream are named after. A Source is immutable once made.
type Source struct {
	// Listener names the listener in metrics and in the ledger: "tcp/514".
	Listener string
	// Format is "syslog" or "gelf", the middle part of the log group.
	Format string
	// Port is the last part of the log group: "514", or "unix".
	Port string
	// Address is the sender's address without a port, after PROXY protocol.
	Address string
	// Stream names the log stream in place of the address, if it is not empty.
	Stream string

	key string
}

// NewSource returns a Source whose Key is made once.
func NewSource(listener, format, port, address string) *Source {
	s := &Source{Listener: listener, Format: format, Port: port, Address: address}
	s.key = strings.Join([]string{listener, format, port, address}, "\x00")
	return s
}

// Named returns the same sender with a log stream of its own name, made safe as
// SafeStream does it, in place of one it may have. An empty name is none.
func (s *Source) Named(name string) *Source {
	if name == "" {
		return s
	}
	n := NewSource(s.Listener, s.Format, s.Port, s.Address)
	n.Stream = SafeStream(name)
	n.key += "\x00" + n.Stream
	return n
}

// LogStream is what the sender's log stream is called.
func (s *Source) LogStream() string {
	if s.Stream != "" {
		return s.Stream
	}
	return s.Address
}

// Key identifies the source in files and across restarts: what it is made of,
// with a zero byte between; Stream only if there is one.
func (s *Source) Key() string { return s.key }

// ParseSource is the inverse of Key.
func ParseSource(key string) (*Source, error) {
	parts := strings.Split(key, "\x00")
	if len(parts) != 4 && len(parts) != 5 {
		return nil, fmt.Errorf("source %q has %d parts, want 4 or 5", key, len(parts))
	}
	s := NewSource(parts[0], parts[1], parts[2], parts[3])
	if len(parts) == 5 {
		s.Stream, s.key = parts[4], key
	}
	return s, nil
}

// Block is a run of messages of one source that were received together.
type Block struct {
	Source   []byte // Source.Key
	Received int64  // microseconds since 1970, UTC
	First    uint64 // sequence number of the first message; the others count up
	Count    int
	Texts    []byte // Count times: length as uvarint, text
}

// AppendText appends one text the way Block.Texts holds it.
func AppendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// Text returns the text that begins at an offset of Texts, 0 for the first, and
// where the next one does. ok is false at the end and where a text is cut short.
func (b *Block) Text(offset int) (text []byte, next int, ok bool) {
	rest := b.Texts[offset:]
	n, w := binary.Uvarint(rest)
	if w <= 0 || n > uint64(len(rest)-w) {
		return nil, 0, false
	}
	text = rest[w : w+int(n)]
	return text, offset + w + int(n), true
}

// All yields each message with its sequence number. The text is valid only as
// long as b.Texts is. Texts that are cut short end it early, so that fewer than
// Count come.
func (b *Block) All() iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		rest := b.Texts
		for i := range b.Count {
			n, w := binary.Uvarint(rest)
			if w <= 0 || n > uint64(len(rest)-w) {
				return
			}
			text := rest[w : w+int(n)]
			rest = rest[w+int(n):]
			if !yield(b.First+uint64(i), text) {
				return
			}
		}
	}
}

// Record is what becomes one Firehose record.
type Record struct {
	Listener string // whose messages these are, for the ledger
	Events   int    // how many messages it holds
	RawBytes int64  // their text as it came
	Data     []byte // one complete gzip member
}

// Stored is a record that waits in the spool. File and Index name it there.
type Stored struct {
	File  string
	Index int
	Record
}
