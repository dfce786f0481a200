package syslog

// maxPrefix is how many words may stand before the time, and maxName how long
// one may be.
const (
	maxPrefix = 4
	maxName   = 255
)

// search finds the time where it does not follow the PRI at once: behind
// spaces, a colon, a version, Cisco's sequence numbers and host, or a "*" or
// "." that says the clock is not synchronised.
//
//	<190>2361044: sw01: 003: .Jan  6 2022 22:11:43.398 UTC: %FOO-6-BAR: text
//
// That there is no time at b[noTimeAt] is known already.
func (h *header) search(b []byte, noTimeAt int) {
	i := h.text
	if i+3 <= len(b) && b[i] == 0xEF && b[i+1] == 0xBB && b[i+2] == 0xBF {
		i += 3 // a byte order mark belongs before the text, not the time
	}
	colon := false
	if i < len(b) && b[i] == ':' {
		colon = true
		i = skipSpaces(b, i+1)
	}
	h.rest = i
	for n := 0; n < maxPrefix && i < len(b); n++ {
		if next := sequenceEnd(b, i); next > 0 {
			h.sequence = true
			if i = skipSpaces(b, next); isMnemonic(b, i) {
				h.mnemonic, h.rest = true, i
				return
			}
			continue
		}
		if i != noTimeAt && h.timeAt(b, i, colon) {
			return
		}
		next, ok := h.prefixWord(b, i)
		if !ok {
			break
		}
		i = skipSpaces(b, next)
	}
	if !h.uptime && !h.mnemonic {
		// No time after all: what looked like a prefix is text.
		h.nameAt, h.nameEnd, h.sequence = 0, 0, false
	}
}

// timeAt tries to read the header's time at b[i], where a word of the prefix
// could also stand.
func (h *header) timeAt(b []byte, i int, colon bool) bool {
	named := h.nameEnd > h.nameAt
	if !named && isDigit(b[i]) && h.readVersion(b, i) {
		return true
	}
	at := i
	if c := b[at]; (c == '*' || c == '.') && at+1 < len(b) {
		at++
	}
	end := h.stamp.parse(b, at)
	if end == 0 {
		return false
	}
	marked := at > i
	if named && h.pri < 0 && b[h.nameEnd] != ':' {
		return false
	}
	if !h.take(b, at, end) {
		return false
	}
	if marked {
		h.mark = b[i]
	}
	if named && b[h.nameEnd] == ':' && !marked && !h.sequence && !colon && !h.colon {
		// "sw01: Oct 11 22:14:15: %FOO" has a header, but in "backup: Oct 11
		// 22:14:15 done" a program speaks.
		h.tagTime = true
		h.rest, h.nameAt, h.nameEnd = h.nameAt, 0, 0
	}
	return true
}

// prefixWord takes the word at b[i] for a part of the prefix, and returns the
// first byte behind it. ok is false if no time can follow.
func (h *header) prefixWord(b []byte, i int) (next int, ok bool) {
	e, colon := i, false
	if b[i] == '*' {
		for e < len(b) && b[e] != ' ' && b[e] != '\t' && e-i <= maxName {
			e++
		}
	} else {
		// A byte that no name holds shows soon that this is text.
		for e < len(b) && byteClass[b[e]]&hostByte != 0 && e-i <= maxName {
			colon = colon || b[e] == ':'
			e++
		}
	}
	if e == len(b) || b[e] != ' ' || e-i > maxName || e-i < 2 {
		return 0, false
	}
	word := b[i:e]
	last := len(word) - 1
	if word[last] != ':' {
		// "RP/0/RP3/CPU4:Jan 01 00:22:01"
		for k := last; colon && k > 0; k-- {
			if word[k] == ':' && h.nodeTime(b, i+k+1) {
				if h.nameEnd == h.nameAt {
					h.nameAt, h.nameEnd = i, i+k
				}
				return i + k + 1, true
			}
		}
		if h.nameEnd > h.nameAt || !isHost(word) {
			return 0, false
		}
		h.nameAt, h.nameEnd = i, e
		return e, true
	}
	word = word[:last]
	switch {
	case isUptime(word):
		h.uptime = true
		h.rest = e
		return 0, false
	case word[0] == '*':
		// Cisco's wireless controllers name the task: "*apfMsConnTask_0:"
	case h.nameEnd > h.nameAt || !isHost(word):
		return 0, false
	default:
		h.nameAt, h.nameEnd = i, i+last
	}
	if isMnemonic(b, skipSpaces(b, e)) {
		// "some-remote-host: %SYS-5-LOGGINGHOST": there is no time.
		h.mnemonic, h.rest = true, e
		return 0, false
	}
	return e, true
}

// nodeTime tells whether a time begins at b[i], behind the name of an IOS XR
// node.
func (h *header) nodeTime(b []byte, i int) bool {
	return h.stamp.parse(b, i) > 0 && !h.stamp.epoch
}

// sequenceEnd returns the first byte behind Cisco's sequence number, "003132: ",
// or 0 if there is none at b[i].
func sequenceEnd(b []byte, i int) int {
	e := i
	for e < len(b) && isDigit(b[e]) {
		e++
	}
	if e == i || e+1 >= len(b) || b[e] != ':' || b[e+1] != ' ' {
		return 0
	}
	return e + 1
}

// isUptime tells whether a word is a time since start, as Cisco sends it
// instead of the time when the clock was never set: 00:01:01, 2y10w, 1d02h.
func isUptime(w []byte) bool {
	if !isDigit(w[0]) {
		return false
	}
	colons, units := 0, 0
	for i, c := range w {
		switch {
		case c == ':':
			colons++
		case c == 'y' || c == 'w' || c == 'd' || c == 'h' || c == 'm' || c == 's':
			if !isDigit(w[i-1]) {
				return false
			}
			units++
		case !isDigit(c):
			return false
		}
	}
	return colons == 2 && units == 0 || units > 0 && colons == 0
}
