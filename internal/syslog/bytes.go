package syslog

// What a byte may be part of, as bits in byteClass.
const (
	digitByte  = 1 << iota
	letterByte // A-Z, a-z
	keyByte    // a key of key=value text
	hostByte   // a host's name or address
	tagByte    // a program's name
	wideByte   // not ASCII
)

const wordByte = digitByte | letterByte

// byteClass says what each byte may be part of.
var byteClass = func() (t [256]uint8) {
	for c := range t {
		switch {
		case '0' <= c && c <= '9':
			t[c] = digitByte | keyByte | hostByte | tagByte
		case 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80:
			t[c] = letterByte | keyByte | hostByte | tagByte
		case c >= 0x80:
			t[c] = wideByte | hostByte | tagByte
		}
	}
	for _, c := range []byte("_-.") {
		t[c] |= keyByte
	}
	for _, c := range []byte("_-.:@/+~#%") {
		t[c] |= hostByte
	}
	for _, c := range []byte("_-./()@#+*%&!~\\") {
		t[c] |= tagByte
	}
	return t
}()

func isLetter(c byte) bool { return byteClass[c]&letterByte != 0 }

// isWord tells whether a byte is part of a word: a word ends before any other.
func isWord(c byte) bool { return byteClass[c]&wordByte != 0 || c == '_' }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0 }

func skipSpaces(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i
}

// wordEnd returns the end of the word at b[i], which white space ends.
func wordEnd(b []byte, i int) int {
	for i < len(b) && !isSpace(b[i]) {
		i++
	}
	return i
}

func allDigits(w []byte) bool {
	for _, c := range w {
		if !isDigit(c) {
			return false
		}
	}
	return len(w) > 0
}

// number reads one to n digits at b[i] and returns the first byte behind them,
// or 0 if there is none.
func number(b []byte, i, n int) (v, end int) {
	e := i
	for e < len(b) && e-i < n && isDigit(b[e]) {
		v = v*10 + int(b[e]-'0')
		e++
	}
	if e == i {
		return 0, 0
	}
	return v, e
}
