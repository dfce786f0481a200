package gelf

import "bytes"

// key is the name of a member, as far as names matter.
type key uint8

const (
	keyOther key = iota
	keyHost
	keyShortMessage
	keyTimestamp
	keyVersion
)

type valueKind uint8

const (
	otherValue  valueKind = iota // object or array; null, true, false
	stringValue                  // raw is what stands between the quotes
	numberValue
)

// member is one key and value of the outermost object.
type member struct {
	key     key
	kind    valueKind
	raw     []byte
	escaped bool // raw contains a backslash
}

// scanner goes through the members of a JSON object. It checks no more than it
// needs to find its way, and stops where it cannot go on.
type scanner struct {
	b     []byte
	i     int
	whole bool // the object was closed and nothing follows
}

func newScanner(b []byte) scanner {
	s := scanner{b: b}
	if s.skipSpace(); s.i < len(b) && b[s.i] == '{' {
		s.i++
	} else {
		s.i = len(b)
	}
	return s
}

// next returns the next member, or false at the end or at a fault. At a fault in
// the value the key is told all the same.
func (s *scanner) next() (m member, ok bool) {
	s.skipSpace()
	switch s.peek() {
	case ',':
		s.i++
		s.skipSpace()
	case '}':
		s.i++
		s.skipSpace()
		s.whole = s.i == len(s.b)
		s.i = len(s.b)
		return m, false
	}
	if s.peek() != '"' {
		return m, false
	}
	name, escaped, ok := s.text()
	if s.skipSpace(); !ok || s.peek() != ':' {
		return m, false
	}
	s.i++
	s.skipSpace()
	m.key = keyOf(name, escaped)
	switch c := s.peek(); c {
	case '"':
		m.kind = stringValue
		m.raw, m.escaped, ok = s.text()
		return m, ok
	case '{', '[':
		return m, s.skipNested()
	default:
		if c == '-' || c-'0' <= 9 {
			m.kind = numberValue
		}
		m.raw = s.literal()
		return m, len(m.raw) > 0
	}
}

// peek returns the byte at hand, 0 at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) skipSpace() {
	for s.i < len(s.b) && isSpace(s.b[s.i]) {
		s.i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// text reads a string, from quote to quote. Each byte is looked at a bounded
// number of times, however many escapes there are.
func (s *scanner) text() (raw []byte, escaped, ok bool) {
	start := s.i + 1
	i, quote := start, -1
	for near := min(start+16, len(s.b)); i < near && s.b[i] != '\\'; i++ {
		if s.b[i] == '"' { // most keys, and many values, are short
			s.i = i + 1
			return s.b[start:i:i], false, true
		}
	}
	for {
		if quote < i {
			n := bytes.IndexByte(s.b[i:], '"')
			if n < 0 {
				s.i = len(s.b)
				return nil, false, false
			}
			quote = i + n
		}
		n := bytes.IndexByte(s.b[i:quote], '\\')
		if n < 0 {
			s.i = quote + 1
			return s.b[start:quote:quote], escaped, true
		}
		escaped = true
		i += n + 2
	}
}

// literal reads a number or a word.
func (s *scanner) literal() []byte {
	start := s.i
	for s.i < len(s.b) && !isSpace(s.b[s.i]) && s.b[s.i] != ',' && s.b[s.i] != '}' {
		s.i++
	}
	return s.b[start:s.i:s.i]
}

// skipNested passes over an object or array, however deep.
func (s *scanner) skipNested() bool {
	depth := 0
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			if _, _, ok := s.text(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.i++
		if depth == 0 {
			return true
		}
	}
	return false
}

// keyOf knows the names that matter, also when some of their letters are
// written as escapes.
func keyOf(name []byte, escaped bool) key {
	if escaped {
		const longest = len(`\u0073`) * len("short_message")
		if len(name) > longest {
			return keyOther
		}
		var buf [longest]byte
		name = AppendUnquoted(buf[:0], name)
	}
	switch string(name) {
	case "host":
		return keyHost
	case "short_message":
		return keyShortMessage
	case "timestamp":
		return keyTimestamp
	case "version":
		return keyVersion
	}
	return keyOther
}
