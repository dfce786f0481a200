package gelf

import "bytes"

// NULFramer takes GELF messages out of a TCP stream. They end in NUL, and also
// in LF where it stands outside of the JSON object, because some senders end
// their messages so. LF inside of the object, as in indented JSON, is part of
// the message. Empty messages are passed over. One per connection, not for
// concurrent use.
type NULFramer struct {
	max      int
	skipping bool // the rest of a message that was cut is being passed over

	// How far the message was looked through, and where in the JSON that is.
	pos      int
	walked   bool // depth and the others are true for pos; else there was no LF so far
	object   bool
	inString bool
	escape   bool
	depth    int
}

// NewNULFramer returns a framer for messages of at most maxMessage bytes.
func NewNULFramer(maxMessage int) *NULFramer { return &NULFramer{max: maxMessage} }

// Next returns the next message in buf and how many bytes of buf it used up.
// With ok false more data is needed; used may be more than 0 all the same. The
// caller keeps the bytes that were not used and calls again with more appended;
// at most maxMessage+1 are ever needed to make progress. eof says that nothing
// will follow buf: then a last message without an end is returned. cut says that
// the message was longer than allowed; later calls pass over its rest. msg
// aliases buf.
func (f *NULFramer) Next(buf []byte, eof bool) (msg []byte, used int, cut, ok bool) {
	if f.skipping {
		end, found := f.find(buf)
		if !found {
			f.pos = 0
			return nil, len(buf), false, false
		}
		f.reset()
		used = end + 1
	}
	if f.pos == 0 {
		for used < len(buf) && (buf[used] == 0 || isSpace(buf[used])) {
			used++
		}
	}
	b := buf[used:min(len(buf), used+f.max+1)]
	if len(b) == 0 {
		return nil, used, false, false
	}
	end, found := f.find(b)
	switch {
	case found:
		f.reset()
		used += end + 1
		if b[end] == '\n' && b[end-1] == '\r' {
			end--
		}
		return b[:end:end], used, false, true
	case len(b) > f.max:
		f.cut(b)
		return b[:f.max:f.max], used + f.max, true, true
	case eof:
		f.reset()
		return b[:len(b):len(b)], used + len(b), false, true
	}
	return nil, used, false, false
}

// find looks for the end of the message that b begins with. It goes on where it
// stopped the last time, so that each byte is looked at once or twice however
// the stream is cut into reads.
func (f *NULFramer) find(b []byte) (end int, found bool) {
	if !f.walked {
		fresh := b[f.pos:]
		nul := bytes.IndexByte(fresh, 0)
		if nul >= 0 {
			fresh = fresh[:nul]
		}
		if bytes.IndexByte(fresh, '\n') < 0 {
			f.pos += len(fresh)
			return f.pos, nul >= 0
		}
		f.begin(b)
	}
	return f.walk(b)
}

// begin starts to follow the JSON from the start of the message.
func (f *NULFramer) begin(b []byte) {
	f.walked, f.object, f.pos = true, b[0] == '{', 0
}

// walk follows the JSON to the end of the message or of b.
func (f *NULFramer) walk(b []byte) (end int, found bool) {
	for ; f.pos < len(b); f.pos++ {
		switch c := b[f.pos]; {
		case c == 0:
			return f.pos, true
		case f.escape:
			f.escape = false
		case f.inString:
			f.escape = c == '\\'
			f.inString = c != '"'
		case c == '\n' && f.depth <= 0:
			return f.pos, true
		case !f.object:
		case c == '"':
			f.inString = true
		case c == '{' || c == '[':
			f.depth++
		case c == '}' || c == ']':
			f.depth--
		}
	}
	return f.pos, false
}

// cut gives up the first max bytes of the message and remembers where in the
// JSON the rest begins.
func (f *NULFramer) cut(b []byte) {
	if !f.walked {
		f.begin(b)
		f.walk(b[:f.max])
	}
	f.pos -= f.max
	f.skipping = true
}

func (f *NULFramer) reset() { *f = NULFramer{max: f.max} }
