package syslog

import "bytes"

// Framer cuts the bytes of one TCP or TLS connection into messages (RFC 6587,
// RFC 5425). Octet counting and lines that end with LF, CR LF or NUL are told
// apart message by message, because senders mix them.
//
// A number is a count only if a space and the start of a message ("<", "{" or
// a byte order mark and "<") follow it; any other line that starts with a digit
// is text. A count of zero, or one above 64 MiB, is taken off and its message
// read as a line, so that a lying sender never makes the reader wait for
// gigabytes. A count that is too small leaves the rest of its line as a message
// of its own; one that is too large takes in what follows, and at the end of
// the stream what there is of it is delivered.
//
// Inside a counted frame every byte is content, but for one LF or CR LF at the
// end of a frame that holds no other LF: many senders count their line ending.
// Outside of counted frames a NUL ends a message if LF, CR, NUL, the start of
// a message or nothing follows it in the buffer; otherwise it is content. So a
// NUL within a line is taken for an ending if a read happens to stop after it:
// the other choice would hold back the last message of senders who use NUL.
//
// A Framer serves one connection, from one goroutine.
type Framer struct {
	max   int
	state frameState
	// left is what is still to come of the counted frame.
	left int
	// So many bytes at the start of the unconsumed buffer are known to hold
	// no LF, and no NUL that ends a message. They keep the work linear in the
	// bytes read, however small the reads are.
	noLF, noNUL int
}

type frameState uint8

const (
	atStart      frameState = iota // of a message
	inFrame                        // a count was read, its frame follows
	skippingLine                   // the message was cut, its line goes on
	skippingFrame
)

const (
	maxCount       = 64 << 20 // greater counts are not believed
	maxCountDigits = 40       // longer numbers are text
)

// NewFramer returns a Framer for messages of at most maxMessage bytes, which
// must be at least 1.
func NewFramer(maxMessage int) *Framer { return &Framer{max: maxMessage} }

// Next returns the next message in buf, and how many bytes of buf it used up.
// The message aliases buf and is never empty. With ok == false more data is
// needed; used may still be above 0, for what was skipped. cut says that the
// message was longer than maxMessage and is only its start; the rest of its
// frame is skipped by later calls.
//
// The caller drops the used bytes, and passes all others again with what was
// read since. It never has to hold more than maxMessage+64 unused bytes. eof
// says that nothing will follow buf: a message without its ending is returned
// then, and once ok is false nothing is left.
func (f *Framer) Next(buf []byte, eof bool) (msg []byte, used int, cut, ok bool) {
	if f.state == atStart && f.noLF|f.noNUL == 0 && len(buf) > 0 && buf[0] == '<' {
		// What most senders send, without the detours.
		if lf := bytes.IndexByte(buf, '\n'); lf > 0 && lf <= f.max && bytes.IndexByte(buf[:lf], 0) < 0 {
			if buf[lf-1] == '\r' {
				return buf[:lf-1], lf + 1, false, true
			}
			return buf[:lf], lf + 1, false, true
		}
	}
	for used < len(buf) {
		rest := buf[used:]
		var n int
		switch f.state {
		case atStart:
			if rest[0] != '<' {
				skip, wait := f.begin(rest, eof)
				if wait {
					return nil, used, false, false
				}
				if skip > 0 {
					n = skip
					break
				}
			}
			msg, n, cut = f.line(rest, eof)
		case inFrame:
			msg, n, cut = f.frame(rest, eof)
		case skippingLine:
			_, n = f.lineEnd(rest)
			if n > 0 {
				f.state = atStart
			} else {
				n = len(rest)
			}
		case skippingFrame:
			n = min(f.left, len(rest))
			f.left -= n
			if f.left == 0 {
				f.state = atStart
			}
		}
		used += n
		f.noLF = max(f.noLF-n, 0)
		f.noNUL = max(f.noNUL-n, 0)
		if len(msg) > 0 {
			return msg, used, cut, true
		}
		if n == 0 {
			break
		}
	}
	return nil, used, false, false
}

// begin looks at the start of a message that does not start with "<". It
// returns how much of it to skip: padding, or a count. 0: a line starts here.
// wait: that cannot be told yet.
func (f *Framer) begin(b []byte, eof bool) (skip int, wait bool) {
	switch c := b[0]; {
	case c == '\n' || c == 0: // an empty line, an LF that was not counted, NUL as padding
		return 1, false
	case c == ' ': // Cisco ASA puts a space between LF and the next message
		if len(b) == 1 {
			return 0, !eof
		}
		if b[1] == '<' {
			return 1, false
		}
		return 0, false
	case isDigit(c):
		return f.count(b, eof)
	}
	return 0, false
}

// count reads a count, if b starts with one, and goes into its frame.
func (f *Framer) count(b []byte, eof bool) (skip int, wait bool) {
	n, i := 0, 0
	for i < len(b) && isDigit(b[i]) {
		n = min(n*10+int(b[i]-'0'), maxCount+1)
		if i++; i > maxCountDigits {
			return 0, false
		}
	}
	if i == len(b) {
		return 0, !eof
	}
	if b[i] != ' ' {
		return 0, false
	}
	i++
	starts, wait := startsMessage(b[i:])
	if wait {
		return 0, !eof
	}
	if !starts {
		return 0, false
	}
	if 0 < n && n <= maxCount {
		f.state, f.left = inFrame, n
	}
	return i, false
}

// bomPRI is the start of a message with a byte order mark before its PRI.
const bomPRI = "\xef\xbb\xbf<"

// startsMessage tells whether what follows a count looks like a message. wait:
// more of it is needed to tell.
func startsMessage(b []byte) (starts, wait bool) {
	if len(b) > 0 && (b[0] == '<' || b[0] == '{') {
		return true, false
	}
	n := min(len(b), len(bomPRI))
	if string(b[:n]) != bomPRI[:n] {
		return false, false
	}
	return n == len(bomPRI), n < len(bomPRI)
}

// line returns the line at the start of b and the length of it and its ending.
// Both are empty if there is no whole line yet.
func (f *Framer) line(b []byte, eof bool) (msg []byte, n int, cut bool) {
	end, n := f.lineEnd(b)
	switch {
	case n > 0:
		msg = b[:end]
	case eof:
		msg, n = b, len(b)
	case len(b) < f.max+len("\r\n"):
		return nil, 0, false
	default:
		f.state = skippingLine
		return b[:f.max], f.max, true
	}
	if end := len(msg) - 1; end >= 0 && msg[end] == '\r' && (n == len(msg) || b[n-1] == '\n') {
		msg = msg[:end]
	}
	if len(msg) > f.max {
		return msg[:f.max], n, true
	}
	return msg, n, false
}

// lineEnd finds where the first line of b ends, and where the next one starts;
// 0 if its end is not there yet.
func (f *Framer) lineEnd(b []byte) (end, next int) {
	lf := len(b)
	if i := bytes.IndexByte(b[f.noLF:], '\n'); i >= 0 {
		lf = f.noLF + i
	}
	f.noLF = lf
	for f.noNUL < lf {
		i := bytes.IndexByte(b[f.noNUL:lf], 0)
		if i < 0 {
			f.noNUL = lf
			break
		}
		nul := f.noNUL + i
		if nul+1 == len(b) || followsNUL(b[nul+1]) {
			return nul, nul + 1
		}
		f.noNUL = nul + 1
	}
	if lf == len(b) {
		return 0, 0
	}
	return lf, lf + 1
}

// followsNUL tells whether a NUL before c ends a message.
func followsNUL(c byte) bool {
	switch c {
	case '<', '{', '\n', '\r', 0:
		return true
	}
	return isDigit(c)
}

// frame returns the text of the counted frame at the start of b, and how much
// of b it took. Both are empty if there is not enough of it yet.
func (f *Framer) frame(b []byte, eof bool) (msg []byte, n int, cut bool) {
	if f.left > f.max+len("\r\n") && len(b) >= f.max {
		f.left -= f.max
		f.state = skippingFrame
		return b[:f.max], f.max, true
	}
	if len(b) < f.left && !eof {
		return nil, 0, false
	}
	n = min(f.left, len(b))
	f.state = atStart
	msg = trimFrame(b[:n])
	if len(msg) > f.max {
		return msg[:f.max], n, true
	}
	return msg, n, false
}

// trimFrame takes the line ending off a frame that is one line. In a frame of
// many lines it is content.
func trimFrame(b []byte) []byte {
	end := len(b) - 1
	if end < 0 || b[end] != '\n' || bytes.IndexByte(b[:end], '\n') >= 0 {
		return b
	}
	if end > 0 && b[end-1] == '\r' {
		end--
	}
	return b[:end]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
