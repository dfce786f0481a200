package batch

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// Rules say how messages are read.
type Rules struct {
	// Location is the zone of senders' clocks. nil is local time.
	Location *time.Location
	// ZoneOf, if it is not nil, returns the zone of a sender's clock in its
	// place, given the sender's address: one of a limited number of Locations.
	ZoneOf func(address string) *time.Location
	// MaxPast and MaxFuture say how far from receipt a time may be and still be
	// believed. 0 is no limit.
	MaxPast, MaxFuture time.Duration
	// Bare leaves messages without a PRI as they are.
	Bare bool
	// ByHost names log streams after the hosts that messages name in their
	// headers. As with StreamOf, sources with a Stream keep that: their listener
	// has chosen it, to say what the sender's word does not.
	ByHost bool
	// StreamOf, if it is not nil, names the log stream that a sender shares with
	// others of its listener, given the listener's name and the sender's address.
	// What is not empty then stands in place of the sender's address, so messages
	// whose header names no host are given one that says the address, unless Bare
	// is set. It must not be set together with ByHost.
	StreamOf func(listener, address string) string
}

// Reader decides what becomes of messages: the event's time, and whether a
// header is put in front. It is the one place where that is decided, for the
// relay and for explain. Not for concurrent use.
type Reader struct {
	rules    Rules
	scanners map[*time.Location]*syslog.Scanner

	source  *event.Source
	gelf    bool
	scanner *syslog.Scanner
	header  []byte
}

// NewReader returns a Reader; From must be called before Read.
func NewReader(rules Rules) *Reader {
	return &Reader{rules: rules, scanners: map[*time.Location]*syslog.Scanner{}}
}

// From sets the sender of the messages that follow. It looks the sender's zone
// up, so call it once for many messages.
func (r *Reader) From(s *event.Source) {
	r.source, r.gelf = s, s.Format == "gelf"
	zone := r.rules.Location
	if r.rules.ZoneOf != nil {
		zone = r.rules.ZoneOf(s.Address)
	}
	r.scanner = r.scanners[zone]
	if r.scanner == nil {
		r.scanner = &syslog.Scanner{Location: zone, MaxPast: r.rules.MaxPast, MaxFuture: r.rules.MaxFuture}
		r.scanners[zone] = r.scanner
	}
}

// Read returns the event's time, the header to put in front of the text (nil if
// none is), and what was not understood. Times are in microseconds since 1970.
// The header is valid until the next call.
func (r *Reader) Read(received int64, text []byte) (at int64, header []byte, why Reasons) {
	if r.gelf {
		at, why = r.readGELF(received, text)
	} else {
		scan := r.scanner.Scan(text, received)
		at, why = scan.Time, Reasons(scan.Flaws)
		if scan.Skewed {
			why |= SkewedTime
		}
		switch {
		case r.rules.Bare:
		case !scan.HasPRI:
			r.header = syslog.AppendHeader(r.header[:0], syslog.DefaultPRI, at, r.source.Address)
			header = r.header
		case r.rules.StreamOf != nil && len(syslog.Hostname(text)) == 0:
			r.header = syslog.AppendHeader(r.header[:0], scan.PRI, at, r.source.Address)
			header = r.header
		}
	}
	if !isASCII(text) && !utf8.Valid(text) {
		why |= InvalidUTF8
	}
	return at, header, why
}

// Host returns the host that a message names in its header, or in GELF's host; it
// is empty if there is none. It is valid as long as the text is.
func (r *Reader) Host(text []byte) []byte {
	if !r.gelf {
		return syslog.Hostname(text)
	}
	f := gelf.Scan(text)
	if f.HostEscaped {
		return gelf.AppendUnquoted(nil, f.Host)
	}
	return f.Host
}

func (r *Reader) readGELF(received int64, text []byte) (at int64, why Reasons) {
	f := gelf.Scan(text)
	if !f.Whole {
		why = MalformedGELF
	}
	switch {
	case !f.HasTime:
		return received, why // GELF leaves it to the sender whether to say it
	case r.scanner.Skewed(f.Time, received):
		return received, why | SkewedTime
	}
	return f.Time, why
}

// isASCII takes half the time of utf8.Valid, and nearly all messages are.
func isASCII(b []byte) bool {
	const highBits = 0x8080808080808080
	for ; len(b) >= 32; b = b[32:] {
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if w&highBits != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
