package syslog

import "bytes"

// Element is one element of RFC 5424 structured data.
type Element struct {
	ID     string
	Params []Param
}

// Param is a parameter of an element, its escapes resolved.
type Param struct{ Name, Value string }

// structuredData reads the elements that begin at b[i] and returns the first
// byte behind them, or 0 if they are not sound. They are appended to out unless
// that is nil.
//
// It asks for what RFC 5424 section 6.3 does, but for one thing: a value
// without quotes is taken up to the next space or bracket, because some senders
// leave them out.
func structuredData(b []byte, i int, out *[]Element) int {
	if i >= len(b) || b[i] != '[' {
		return 0
	}
	for i < len(b) && b[i] == '[' {
		var e Element
		var to *Element
		if out != nil {
			to = &e
		}
		if i = element(b, i+1, to); i == 0 {
			return 0
		}
		if out != nil {
			*out = append(*out, e)
		}
	}
	return i
}

// element reads "ID name="value" …]" at b[i].
func element(b []byte, i int, out *Element) int {
	e := sdName(b, i)
	if e == i {
		return 0
	}
	if out != nil {
		out.ID = string(b[i:e])
	}
	for {
		i = skipSpaces(b, e)
		if i < len(b) && b[i] == ']' {
			return i + 1
		}
		if i == e {
			return 0
		}
		if e = sdName(b, i); e == i || e >= len(b) || b[e] != '=' {
			return 0
		}
		name := b[i:e]
		at, end, next := sdValue(b, e+1)
		if next == 0 {
			return 0
		}
		if out != nil {
			out.Params = append(out.Params, Param{Name: string(name), Value: unescapeParam(b[at:end])})
		}
		e = next
	}
}

// sdName returns the end of the SD-NAME at b[i].
func sdName(b []byte, i int) int {
	for i < len(b) && b[i] > ' ' && b[i] != '=' && b[i] != ']' && b[i] != '"' && b[i] != 0x7F {
		i++
	}
	return i
}

// sdValue returns where the value at b[i] is, and the first byte behind it, 0
// if there is none.
func sdValue(b []byte, i int) (at, end, next int) {
	if i < len(b) && b[i] == '"' {
		e := quoteEnd(b, i+1)
		if e >= len(b) {
			return 0, 0, 0
		}
		return i + 1, e, e + 1
	}
	e := i
	for e < len(b) && b[e] > ' ' && b[e] != ']' && b[e] != '"' && b[e] != '[' {
		e++
	}
	if e == i {
		return 0, 0, 0
	}
	return i, e, e
}

// unescapeParam takes the backslash off before a quote, a backslash and a
// bracket; any other backslash stands for itself (RFC 5424 section 6.3.3).
func unescapeParam(v []byte) string {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v)
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\' || v[i+1] == ']') {
			i++
		}
		out = append(out, v[i])
	}
	return string(out)
}
