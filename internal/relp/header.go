package relp

const (
	maxDigits  = 9
	maxCommand = 32
)

// header is what comes before a frame's data.
type header struct {
	txnr    Txnr
	command []byte
	length  int
}

// parseHeader reads the header at the start of b, the space before the data
// included, and returns its length; 0 means that it is not whole yet. Whether
// and how a header is wrong depends on its bytes only, not on how many of them
// have come so far.
func parseHeader(b []byte) (h header, n int, err error) {
	txnr, n := parseNumber(b)
	switch {
	case n == len(b) && n <= maxDigits:
		return h, 0, nil
	case n == 0:
		return h, 0, noFrame(b[0])
	case n > maxDigits:
		return h, 0, protocolErrorf(BadFrame, "transaction number of more than nine digits")
	case b[n] != ' ':
		return h, 0, protocolErrorf(BadFrame, "byte 0x%02x after transaction number %d", b[n], txnr)
	}
	h.txnr = Txnr(txnr)

	i := n + 1
	for n = i; n < len(b) && isLetter(b[n]); n++ {
		if n-i == maxCommand {
			return h, 0, protocolErrorf(BadFrame, "frame %d: command of more than %d letters", h.txnr, maxCommand)
		}
	}
	if n == len(b) {
		return h, 0, nil
	}
	if n == i || b[n] != ' ' {
		return h, 0, protocolErrorf(BadFrame, "frame %d: byte 0x%02x in the command", h.txnr, b[n])
	}
	h.command = b[i:n:n]

	i = n + 1
	length, n := parseNumber(b[i:])
	n += i
	switch {
	case n == len(b) && n-i <= maxDigits:
		return h, 0, nil
	case n == i || n-i > maxDigits:
		return h, 0, protocolErrorf(BadFrame, "frame %d: data length is not a number of one to nine digits", h.txnr)
	case b[n] == ' ':
		n++
	case b[n] != '\n' || length != 0:
		return h, 0, protocolErrorf(BadFrame, "frame %d: byte 0x%02x after the data length", h.txnr, b[n])
	}
	// An empty frame ends right here, or after a space that some clients send:
	// the LF that must follow is checked like any other.
	h.length = length
	return h, n, nil
}

// parseNumber reads digits, at most one more than a number may have.
func parseNumber(b []byte) (v, n int) {
	for n < len(b) && n <= maxDigits && b[n]-'0' <= 9 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// noFrame says what may be wrong when not even the first byte fits.
func noFrame(c byte) error {
	hint := ""
	switch c {
	case 0x16:
		hint = "; the sender seems to use TLS, this listener does not"
	case '<':
		hint = "; the sender seems to send plain syslog, point it at a TCP listener"
	}
	return protocolErrorf(BadFrame, "byte 0x%02x where a transaction number should begin%s", c, hint)
}
