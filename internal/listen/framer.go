package listen

import (
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// framer takes the messages of a connection apart. The contract is that of
// syslog.Framer.
type framer interface {
	Next(buf []byte, eof bool) (msg []byte, used int, cut, ok bool)
}

// mixedFramer is for ports where syslog is expected and GELF may come. It
// frames like syslog.Framer, but for one thing: a GELF object that begins with
// a brace alone on its line, as programs write JSON for people, is one message
// and not as many as it has lines.
//
// Lines are held back only while they can be such an object. Where they turn
// out to be something else they are messages as usual, and no object is looked
// for on the connection any more: so each byte is looked at twice at most.
type mixedFramer struct {
	max    int
	lines  syslog.Framer
	object gelf.Indented
	start  bool // a message begins with the next byte
	never  bool
}

func newMixedFramer(maxMessage int) *mixedFramer {
	return &mixedFramer{max: maxMessage, lines: *syslog.NewFramer(maxMessage), start: true}
}

// Next implements framer.
func (f *mixedFramer) Next(buf []byte, eof bool) (msg []byte, used int, cut, ok bool) {
	if len(buf) == 0 {
		return nil, 0, false, false
	}
	if f.start && (buf[0] == '{' || buf[0] <= '\r') && !f.never {
		var wait bool
		if msg, used, wait = f.indented(buf, eof); wait || msg != nil {
			return msg, used, false, msg != nil
		}
	}
	msg, used, cut, ok = f.lines.Next(buf, eof)
	f.start = ok && !cut
	return msg, used, cut, ok
}

// indented takes an object, and what ended the message before it. wait: more is
// needed to tell. With neither a message nor wait nothing is used.
func (f *mixedFramer) indented(buf []byte, eof bool) (msg []byte, used int, wait bool) {
	skip := padding(buf)
	b := buf[skip:min(len(buf), skip+f.max)]
	switch {
	case len(b) == 0:
		return nil, f.pass(skip), true
	case len(b) == 1 && b[0] == '\r' && !eof:
		return nil, f.pass(skip), true // half of a CR LF
	case b[0] != '{':
		return nil, 0, false
	}
	end, progress := f.object.Follow(b)
	if progress == gelf.Open && !eof && len(b) < f.max {
		return nil, f.pass(skip), true
	}
	f.object = gelf.Indented{}
	if progress == gelf.Closed {
		return b[:end:end], f.pass(skip + end), false
	}
	f.never = progress != gelf.Other
	return nil, 0, false
}

// pass makes lines begin anew behind n bytes that it will not see.
func (f *mixedFramer) pass(n int) int {
	f.lines = *syslog.NewFramer(f.max)
	return n
}

// padding returns the length of the endings of messages, LF, CR LF and NUL, at
// the start of b.
func padding(b []byte) (n int) {
	for n < len(b) {
		switch {
		case b[n] == '\n' || b[n] == 0:
			n++
		case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
			n += 2
		default:
			return n
		}
	}
	return n
}
