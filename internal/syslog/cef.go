package syslog

import "bytes"

// cefTime finds the time in the extension of the CEF text at b[at]: rt, which
// is when the device noted the event, else start, else end.
func (h *header) cefTime(b []byte, at int) bool {
	ext := cefExtension(b, at)
	var start, end int
	for i := ext; ; {
		v := cefPair(b, i)
		if v == 0 {
			break
		}
		i = v
		if c := b[v-2]; c != 't' && c != 'd' {
			continue // most keys end otherwise
		}
		switch {
		case cefKey(b, ext, v, "rt="):
			if h.cefStamp(b, v) {
				return true
			}
		case start == 0 && cefKey(b, ext, v, "start="):
			start = v
		case end == 0 && cefKey(b, ext, v, "end="):
			end = v
		}
	}
	return start > 0 && h.cefStamp(b, start) || end > 0 && h.cefStamp(b, end)
}

func (h *header) cefStamp(b []byte, v int) bool { return h.bodyStamp(b, v, cefValueEnd(b, v)) }

// cefPair returns the first byte behind the next "=" from b[i] on, or 0.
func cefPair(b []byte, i int) int {
	k := bytes.IndexByte(b[i:], '=')
	if k < 0 {
		return 0
	}
	return i + k + 1
}

// cefKey tells whether the value at b[v] has that key, which is given with its
// "=". The extension begins at b[ext].
func cefKey(b []byte, ext, v int, key string) bool {
	k := v - len(key)
	return k >= ext && string(b[k:v]) == key && (k == ext || isSpace(b[k-1]))
}

// cefExtension returns where the extension begins: behind the seventh pipe that
// is not escaped.
func cefExtension(b []byte, at int) int {
	i := at
	for pipes := 0; pipes < 7; {
		k := bytes.IndexByte(b[i:], '|')
		if k < 0 {
			return len(b)
		}
		i += k + 1
		if k == 0 || b[i-2] != '\\' {
			pipes++
		}
	}
	return i
}

// cefValue returns where the value of a key is, which is given with its "=".
// Both are 0 if there is none. A value goes on to the space before the next key.
func cefValue(b []byte, ext int, key string) (at, end int) {
	for v := cefPair(b, ext); v > 0; v = cefPair(b, v) {
		if cefKey(b, ext, v, key) {
			return v, cefValueEnd(b, v)
		}
	}
	return 0, 0
}

// cefValueEnd returns the end of the value that begins at b[i].
func cefValueEnd(b []byte, i int) int {
	e := i
	for e < len(b) && b[e] != '=' {
		if b[e] == '\\' {
			e++
		}
		e++
	}
	if e = min(e, len(b)); e < len(b) {
		// b[e] is the next key's "=": go back to the space before that key.
		for e > i && !isSpace(b[e]) {
			e--
		}
	}
	for e > i && isSpace(b[e-1]) {
		e--
	}
	return e
}

// unescapeExtension takes the backslashes off that CEF and LEEF put before "=",
// "\" and "|".
func unescapeExtension(v []byte) string {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v)
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && (v[i+1] == '=' || v[i+1] == '\\' || v[i+1] == '|') {
			i++
		}
		out = append(out, v[i])
	}
	return string(out)
}
