package syslog

import "bytes"

// leef is the attributes of a LEEF text.
type leef struct {
	attributes []byte // with what stands before them, so that offsets are the message's
	from       int
	delimiter  byte
}

// readLEEF reads the header of the LEEF text at b[at]. Version 2.0 may name the
// delimiter behind the fifth pipe, as a character or as "x5E" or "0x5E"; else it
// is a tab.
func readLEEF(b []byte, at int) leef {
	l := leef{attributes: b, from: len(b), delimiter: '\t'}
	i, pipes := at, 0
	for ; i < len(b) && pipes < 5; i++ {
		if b[i] == '|' {
			pipes++
		}
	}
	if pipes < 5 {
		return l
	}
	l.from = i
	if at+5 >= len(b) || b[at+5] != '2' {
		return l
	}
	end := bytes.IndexByte(b[i:min(len(b), i+5)], '|')
	if end < 0 {
		return l
	}
	l.from = i + end + 1
	switch d := b[i : i+end]; {
	case len(d) == 1:
		l.delimiter = d[0]
	case len(d) >= 2 && len(d) <= 4:
		if v, ok := hexByte(d); ok {
			l.delimiter = v
		}
	}
	return l
}

// hexByte reads "5E", "x5E" or "0x5E".
func hexByte(d []byte) (v byte, ok bool) {
	if d[0] == '0' && len(d) > 2 {
		d = d[1:]
	}
	if d[0]|0x20 == 'x' {
		d = d[1:]
	}
	if len(d) == 0 || len(d) > 2 {
		return 0, false
	}
	for _, c := range d {
		switch l := c | 0x20; {
		case isDigit(c):
			v = v<<4 + c - '0'
		case 'a' <= l && l <= 'f':
			v = v<<4 + l - 'a' + 10
		default:
			return 0, false
		}
	}
	return v, true
}

// value returns where the value of an attribute is, or zeros. The key is given
// with its "=".
func (l leef) value(key string) (at, end int) {
	b := l.attributes
	for i := l.from; i < len(b); {
		e := bytes.IndexByte(b[i:], l.delimiter)
		if e < 0 {
			e = len(b)
		} else {
			e += i
		}
		for i < e && isSpace(b[i]) {
			i++
		}
		if v := i + len(key); v <= e && string(b[i:v]) == key {
			for e > v && isSpace(b[e-1]) {
				e--
			}
			return v, e
		}
		i = e + 1
	}
	return 0, 0
}

// leefTime finds devTime in the LEEF text at b[at], read as devTimeFormat says.
func (h *header) leefTime(b []byte, at int) bool {
	l := readLEEF(b, at)
	i, e := l.value("devTime=")
	if e == i {
		return false
	}
	if p, pe := l.value("devTimeFormat="); pe > p && h.stamp.parsePattern(b[:e], i, b[p:pe]) {
		return h.tookBody(i, e)
	}
	return h.bodyStamp(b, i, e)
}
