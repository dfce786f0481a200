package syslog

import "bytes"

// payload is a format that the text of a message may have.
type payload uint8

const (
	payloadNone payload = iota
	payloadCEF
	payloadLEEF
	payloadJSON
)

// String returns "cef", "leef", "json" or "".
func (p payload) String() string { return [...]string{"", "cef", "leef", "json"}[p] }

// maxBodyHeader is how far into the text a payload may begin.
const maxBodyHeader = 128

// maxStamp is how long a time may be.
const maxStamp = 64

// timeSource returns where the time of the message is, which h.stamp then
// holds. The text is read only if the header has no time.
func (h *header) timeSource(b []byte) TimeSource {
	if h.timed {
		if h.tagTime {
			return Body
		}
		return Header
	}
	if h.bodyTime(b) {
		return Body
	}
	return Received
}

// bodyTime finds the time in the text of a message without one in its header.
func (h *header) bodyTime(b []byte) bool {
	from := h.textStart(b)
	if from >= len(b) {
		return false
	}
	kind, at := findPayload(b, from)
	switch kind {
	case payloadCEF:
		return h.cefTime(b, at)
	case payloadLEEF:
		return h.leefTime(b, at)
	case payloadJSON:
		return h.jsonTime(b, at)
	}
	if h.keyValueTime(b, from) {
		return true
	}
	return h.leadingTime(b, from)
}

// textStart returns where the text begins, without the tag.
func (h *header) textStart(b []byte) int {
	i := h.rest
	if h.nilTime || h.badTime {
		i = skipFields(b, h.stampEnd)
	}
	i = skipSpaces(b, i)
	e := i
	for e < len(b) && e-i <= maxName && b[e] != ' ' && b[e] != '=' && b[e] != '"' && b[e] != '{' {
		e++
	}
	if e == len(b) || e < i+2 || b[e] != ' ' || b[e-1] != ':' {
		return i
	}
	switch string(b[i:e]) {
	case "CEF:", "LEEF:":
		return i // "CEF: 0|…"
	}
	return skipSpaces(b, e)
}

// skipFields returns the first byte behind the RFC 5424 fields that follow the
// time, as far as they can be told.
func skipFields(b []byte, i int) int {
	for range 4 {
		if i >= len(b) || b[i] != ' ' {
			return i
		}
		i++
		for i < len(b) && b[i] != ' ' {
			i++
		}
	}
	if i+1 < len(b) && b[i+1] == '[' {
		if e := structuredData(b, i+1, nil); e > 0 {
			return e
		}
		return i
	}
	if i+1 < len(b) && b[i+1] == '-' {
		return i + 2
	}
	return i
}

// findPayload tells which format the text from b[from] has, and where in it
// that begins.
func findPayload(b []byte, from int) (kind payload, at int) {
	window := b[from:min(len(b), from+maxBodyHeader)]
	if len(window) > 1 && window[0] == '{' && startsObject(window) {
		return payloadJSON, from
	}
	for skip := 0; ; {
		k := bytes.Index(window[skip:], []byte("EF:"))
		if k < 0 {
			return payloadNone, 0
		}
		k += skip
		if kind, at := payloadMark(window, k); kind != payloadNone {
			return kind, from + at
		}
		skip = k + 3
	}
}

// payloadMark tells whether w[k:], which begins with "EF:", belongs to "CEF:0|"
// or "LEEF:1.0|" at the start of a word.
func payloadMark(w []byte, k int) (kind payload, at int) {
	switch {
	case k >= 1 && w[k-1] == 'C':
		kind, at = payloadCEF, k-1
	case k >= 2 && w[k-1] == 'E' && w[k-2] == 'L':
		kind, at = payloadLEEF, k-2
	default:
		return payloadNone, 0
	}
	if at > 0 && (isWord(w[at-1]) || w[at-1] == '.') {
		return payloadNone, 0
	}
	_, e := number(w, skipSpaces(w, k+3), 2)
	if e > 0 && e+1 < len(w) && w[e] == '.' {
		_, e = number(w, e+1, 2)
	}
	if e == 0 || e >= len(w) || w[e] != '|' {
		return payloadNone, 0
	}
	return kind, at
}

// startsObject tells whether w begins as a JSON object does.
func startsObject(w []byte) bool {
	i := 1
	for i < len(w) && (w[i] == ' ' || w[i] == '\t' || w[i] == '\r' || w[i] == '\n') {
		i++
	}
	return i < len(w) && (w[i] == '"' || w[i] == '}')
}

// leadingTime reads the time with which some texts begin: "[Thu Jun 09
// 06:07:04 2005] [notice]" of Apache, "1,2012/10/30 09:46:12,0160" of PAN-OS.
func (h *header) leadingTime(b []byte, i int) bool {
	var end byte
	if b[i] == '[' {
		i, end = i+1, ']'
	} else if _, e := number(b, i, 3); e > 0 && e < len(b) && b[e] == ',' {
		i, end = e+1, ','
	} else {
		return false
	}
	e := bytes.IndexByte(b[i:min(len(b), i+maxStamp)], end)
	return e > 0 && h.bodyStamp(b, i, i+e)
}

// tookBody notes where in the text the time is.
func (h *header) tookBody(i, e int) bool {
	h.stampAt, h.stampEnd = i, e
	return true
}

// bodyStamp reads the value b[i:e] as a time. A zone may follow behind
// white space; anything else makes it no time.
func (h *header) bodyStamp(b []byte, i, e int) bool {
	value := b[:e]
	end := h.stamp.parse(value, i)
	if end == 0 {
		return false
	}
	for end < e && (value[end] == ' ' || value[end] == '\t' || value[end] == '\r' || value[end] == '\n') {
		end++
	}
	return end == e && h.tookBody(i, end)
}
