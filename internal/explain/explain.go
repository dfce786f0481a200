// Package explain tells what is made of a message, and why: for a person, byte
// by byte, and as JSON. It reads messages with the code that the relay uses, and
// asks that code what would be delivered.
package explain

import (
	"bytes"
	"time"
	"unicode/utf8"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// Explanation is what is made of one message.
type Explanation struct {
	// Message is all that was read. Of a GELF message, Format is "gelf", and
	// time and host are GELF's.
	Message syslog.Message
	// Text is the message that was read: what was given, or what it contains if
	// that is compressed.
	Text []byte

	// What the relay delivers. Times are in microseconds since 1970.

	Source   *event.Source
	Received int64
	Event    int64  // the event's time
	Header   []byte // put in front of Text; nil if none is
	Group    string // log group
	Stream   string // log stream
	// Reasons are what was not understood, by the names of the metrics.
	Reasons []string
}

// Explainer explains messages. Not for concurrent use.
type Explainer struct {
	rules    batch.Rules
	prefix   string
	reader   *batch.Reader
	inflater *gelf.Inflater
}

// maxInflated is how much of a compressed message is read.
const maxInflated = 1 << 20

// New returns an Explainer that reads messages by the rules of a relay.
// groupPrefix is the first part of its log groups.
func New(rules batch.Rules, groupPrefix string) *Explainer {
	return &Explainer{rules: rules, prefix: groupPrefix, reader: batch.NewReader(rules), inflater: gelf.NewInflater(maxInflated)}
}

// Sender says who a message is from.
type Sender struct {
	Address  string
	Listener string // its name; needed only where log streams are named after it
	Port     string // of the listener, as it is in the log group
	// Format is "syslog" or "gelf"; if it is empty, GELF is recognised as on a
	// port for syslog.
	Format string
}

// Explain tells what is made of a message. It never fails. The message must not
// be changed as long as the Explanation is in use.
func (e *Explainer) Explain(message []byte, from Sender, received time.Time) *Explanation {
	x := &Explanation{Text: message, Received: received.UnixMicro()}
	kind := gelf.Looks(message)
	unpacked := ""
	if kind == gelf.Zlib || kind == gelf.Gzip {
		if text, err := e.inflater.Inflate(kind, message); err == nil {
			x.Text = bytes.Clone(text)
			unpacked = "compressed: this is what it contains"
		} else {
			kind = gelf.None
		}
	}
	if from.Format == "" {
		from.Format = "syslog"
		if kind != gelf.None && kind != gelf.Chunk {
			from.Format = "gelf"
		}
	}
	x.Source = event.NewSource(from.Listener, from.Format, from.Port, from.Address)
	x.Group = e.prefix + "/" + from.Format + "/" + from.Port
	e.reader.From(x.Source)
	at, header, why := e.reader.Read(x.Received, x.Text)
	x.Event, x.Header = at, bytes.Clone(header)
	x.Stream = e.stream(x)
	for name := range why.Names() {
		x.Reasons = append(x.Reasons, name)
	}
	if from.Format == "gelf" {
		x.Message = readGELF(x.Text, why)
	} else {
		x.Message = e.scanner(from.Address).Parse(x.Text, x.Received)
	}
	x.noteBytes(kind, unpacked)
	return x
}

// stream is what the relay calls the log stream.
func (e *Explainer) stream(x *Explanation) string {
	switch {
	case e.rules.StreamOf != nil:
		return e.rules.StreamOf(x.Source.Listener, x.Source.Address)
	case e.rules.ByHost:
		if host := e.reader.Host(x.Text); len(host) > 0 {
			return event.SafeStream(string(host))
		}
	}
	return x.Source.LogStream()
}

// scanner reads as the relay does, and tells more.
func (e *Explainer) scanner(address string) *syslog.Scanner {
	zone := e.rules.Location
	if e.rules.ZoneOf != nil {
		zone = e.rules.ZoneOf(address)
	}
	return &syslog.Scanner{Location: zone, MaxPast: e.rules.MaxPast, MaxFuture: e.rules.MaxFuture}
}

// noteBytes says what there is to say of the bytes themselves.
func (x *Explanation) noteBytes(kind gelf.Kind, unpacked string) {
	note := func(text string) { x.Message.Notes = append(x.Message.Notes, text) }
	if unpacked != "" {
		note(unpacked)
	}
	if kind == gelf.Chunk {
		note("a chunk of a GELF message: the relay puts it together with the others")
	}
	if !utf8.Valid(x.Text) {
		note(`not UTF-8: what is not is written \xNN in the record`)
	}
}
