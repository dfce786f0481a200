package syslog

// header is what stands before the text of a message, as far as it is needed to
// find the time.
type header struct {
	pri   int // -1: none
	frame Frame
	stamp stamp
	timed bool // stamp is the header's time

	priAt, priEnd int // the PRI with its brackets
	badPRI        bool
	secondPRI     bool
	text          int // first byte behind the PRI and what belongs to it

	versionAt, versionEnd int  // equal: no version
	nilTime               bool // "-" in place of the time
	badTime               bool // something that looks like a time, and is none

	stampAt, stampEnd int
	mark              byte // '*' or '.' before the time: the clock is not synchronised
	colon             bool // a colon follows the time
	rest              int  // first byte behind the time, its zone and its colon

	nameAt, nameEnd int  // a name before the time
	sequence        bool // a sequence number before the time
	uptime          bool // a time since start in place of the time
	mnemonic        bool // Cisco's mnemonic in place of the time
	tagTime         bool // "tag: TIME": the time is the text's
}

// read finds PRI, version and time. It does not look into the text.
func (h *header) read(b []byte) {
	i := skipSpaces(b, h.readPRI(b))
	h.text, h.rest = i, i
	if i >= len(b) {
		h.setFrame(b)
		return
	}
	// The two usual forms first: a BSD time or an RFC 5424 version behind PRI.
	noTimeAt := -1
	if isLetter(b[i]) {
		if e := h.stamp.parse(b, i); e > 0 {
			h.take(b, i, e)
			h.setFrame(b)
			return
		}
		noTimeAt = i
	} else if isDigit(b[i]) && b[i] != '0' && i+2 < len(b) && b[i+1] == ' ' && h.pri >= 0 {
		if h.readVersion(b, i) {
			h.setFrame(b)
			return
		}
	}
	h.search(b, noTimeAt)
	h.setFrame(b)
}

// readPRI reads the PRI and returns the first byte behind it, or behind what
// stands in its place.
func (h *header) readPRI(b []byte) int {
	h.pri = -1
	i := 0
	if len(b) > 0 && b[0] != '<' {
		i = skipJunk(b)
	}
	v, e := priAt(b, i)
	if e == 0 {
		if e = h.brokenPRI(b, i); e > 0 {
			return e
		}
		return i
	}
	h.priAt, h.priEnd = i, e
	if v > 191 {
		h.badPRI = true
		return e
	}
	h.pri = v
	for e < len(b) && b[e] == '<' {
		// A relay put its PRI in front of the sender's. The first counts.
		_, next := priAt(b, e)
		if next == 0 {
			break
		}
		h.secondPRI = true
		e = next
	}
	return e
}

// priAt reads "<number>" and returns the number, 999 at most, and the first
// byte behind it, or 0 if there is none at b[i].
func priAt(b []byte, i int) (v, end int) {
	if i+2 >= len(b) || b[i] != '<' || !isDigit(b[i+1]) {
		return 0, 0
	}
	for e := i + 1; e < len(b) && e-i <= 11; e++ {
		c := b[e] - '0'
		if c > 9 {
			if b[e] == '>' {
				return v, e + 1
			}
			break
		}
		v = min(v*10+int(c), 999)
	}
	return 0, 0
}

// brokenPRI returns the first byte behind something in angle brackets that is
// no number, if the time follows it at once. Then what follows is a header.
func (h *header) brokenPRI(b []byte, i int) int {
	if i >= len(b) || b[i] != '<' {
		return 0
	}
	for e := i + 1; e < len(b) && e-i <= 11 && b[e] > ' '; e++ {
		if b[e] == '>' {
			if h.stamp.parse(b, e+1) == 0 {
				return 0
			}
			h.priAt, h.priEnd, h.badPRI = i, e+1, true
			return e + 1
		}
	}
	return 0
}

// skipJunk returns the first byte behind what devices put before the PRI: a
// byte order mark, white space, NUL, and an octet count that was left on.
func skipJunk(b []byte) int {
	i := 0
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		i = 3
	}
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n' || b[i] == 0) {
		i++
	}
	if _, e := number(b, i, 6); e > 0 && e+1 < len(b) && b[e] == ' ' && b[e+1] == '<' {
		if _, p := priAt(b, e+1); p > 0 {
			return e + 1
		}
	}
	return i
}

// take notes the header's time at b[i:e].
func (h *header) take(b []byte, i, e int) bool {
	end, colon := e, false
	if e < len(b) {
		switch c := b[e]; c {
		case ' ':
			if e+1 < len(b) && b[e+1] == ':' && (e+2 == len(b) || b[e+2] == ' ') {
				end, colon = e+2, true // Cisco: "12:53:10 UTC : "
			}
		case ':':
			end, colon = e+1, true
		case '\t', '\r', '\n', 0, ',', '|':
		default:
			return false
		}
	}
	h.timed = true
	h.stampAt, h.stampEnd, h.rest, h.colon = i, e, end, colon
	return true
}

// readVersion reads a version of one to three digits at b[i], and the time
// behind it. It returns false if there is no version.
func (h *header) readVersion(b []byte, i int) bool {
	_, e := number(b, i, 3)
	if e == 0 || e+1 >= len(b) || b[e] != ' ' {
		return false
	}
	at := skipSpaces(b, e)
	if at < len(b) && b[at] == '-' && (at+1 == len(b) || b[at+1] == ' ') {
		if h.pri < 0 {
			return false // "1 - - -" may be anything
		}
		h.nilTime = true
		h.stampAt, h.stampEnd, h.rest = at, at+1, at+1
	} else {
		end := h.stamp.parse(b, at)
		if end == 0 || !h.take(b, at, end) {
			// "1 2025-13-11T…" has the form still, and the host is in its place.
			if _, y := number(b, at, 5); h.pri < 0 || y != at+4 || y == len(b) || b[y] != '-' {
				return false
			}
			h.badTime = true
			h.stampAt, h.stampEnd = at, wordEnd(b, at)
			h.rest = h.stampEnd
		}
	}
	h.versionAt, h.versionEnd = i, e
	return true
}

// setFrame judges the frame by PRI, version and time.
func (h *header) setFrame(b []byte) {
	switch {
	case h.versionEnd > h.versionAt && (h.nilTime || !isLetter(b[h.stampAt])):
		h.frame = FrameRFC5424
		if h.pri < 0 || b[h.versionAt] == '0' || !h.nilTime && (h.badTime || !strictTime(b[h.versionEnd+1:h.stampEnd])) {
			h.frame = FrameRFC5424Malformed
		}
	case h.pri >= 0 || h.timed && !h.tagTime:
		h.frame = FrameRFC3164
	}
}

// strictTime tells whether a time that was parsed is as RFC 5424 wants it. The
// zone may be missing: many devices leave it out, and nothing else is affected.
func strictTime(b []byte) bool {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || len(b) > 19 && b[19] == ',' {
		return false
	}
	for _, c := range b[19:] {
		if c == ' ' {
			return false
		}
	}
	return true
}
