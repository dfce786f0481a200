package syslog

// zoneWords holds the zone abbreviations that are understood, with their usual
// offset in minutes east of UTC. ambiguous marks those that stand for several
// zones: EST is New York's and Brisbane's, IST India's, Israel's and Ireland's.
// With them the wall clock counts, in Scanner.Location.
var zoneWords = map[string]int16{
	"UTC": universal, "GMT": universal, "Z": universal, "UCT": universal,
	"WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MET": 60, "METDST": 120, "MEST": 120, "MEZ": 60, "MESZ": 120,
	"EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "SAST": 120, "EAT": 180, "PKT": 300,
	"SGT": 480, "HKT": 480, "AWST": 480, "JST": 540, "KST": 540,
	"ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
	"NST": -210, "NDT": -150, "ADT": -180, "EDT": -240, "CDT": -300, "MDT": -360, "PDT": -420,
	"AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180, "CLT": -240,
	"EST": ambiguous, "CST": ambiguous, "MST": ambiguous, "PST": ambiguous, "AST": ambiguous,
	"IST": ambiguous, "BST": ambiguous, "GST": ambiguous, "SST": ambiguous, "WIB": ambiguous,
}

// longestZoneWord is the length of METDST.
const longestZoneWord = 6

const (
	universal = 1<<14 + iota
	ambiguous
)

// readZone reads a zone at b[i], directly behind the time or after spaces, and
// returns the first byte behind it, or i if there is none.
func (t *stamp) readZone(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch c := b[i]; {
	case c == 'Z' || c == 'z':
		if i+1 < len(b) && isWord(b[i+1]) {
			return i
		}
		t.zone = zoneKnown
		return i + 1
	case c == '+' || c == '-':
		e := t.readOffset(b, i)
		if e > i && e+4 < len(b) && string(b[e:e+5]) == " DST " {
			e += 4 // Huawei: the offset is that of daylight saving time
		}
		return e
	case isLetter(c):
		return t.readZoneWord(b, i)
	case c != ' ':
		return i
	}
	s := skipSpaces(b, i)
	if s-i > 2 || s >= len(b) {
		return i
	}
	e := s
	switch c := b[s]; {
	case c == '+' || c == '-':
		if e = t.readOffset(b, s); e < len(b) && b[e] != ' ' && b[e] != ':' {
			t.zone, t.offset = zoneUnsaid, 0
			return i
		}
	case isLetter(c):
		e = t.readZoneWord(b, s)
	}
	if e == s {
		return i
	}
	return e
}

// readOffset reads +hh:mm, +hhmm or +hh.
func (t *stamp) readOffset(b []byte, i int) int {
	h, e := number(b, i+1, 2)
	if e != i+3 || h > 23 {
		return i
	}
	m := 0
	if c := e; c < len(b) {
		if b[c] == ':' {
			c++
		}
		if v, f := number(b, c, 2); f == c+2 && v < 60 {
			m, e = v, f
		}
	}
	if e < len(b) && isDigit(b[e]) {
		return i
	}
	t.zone, t.offset = zoneKnown, int32(h*3600+m*60)
	if b[i] == '-' {
		t.offset = -t.offset
	}
	return e
}

// readZoneWord reads a zone abbreviation. A word that is not known is a zone
// only where Cisco puts one: before a colon and a %FACILITY-SEVERITY-MNEMONIC.
func (t *stamp) readZoneWord(b []byte, i int) int {
	e := i
	for e < len(b) && isLetter(b[e]) && e-i < 10 {
		e++
	}
	if e < len(b) && (b[e] == '+' || b[e] == '-') {
		return t.zoneWithOffset(b, i, e)
	}
	if e < len(b) && (isWord(b[e]) || b[e] == '.' || b[e] == '/') {
		return i
	}
	var offset int16
	known := false
	if e-i <= longestZoneWord {
		offset, known = zoneWords[string(b[i:e])]
	}
	switch {
	case !known:
		if !beforeMnemonic(b, e) {
			return i
		}
		t.zone = zoneWord
	case offset == ambiguous:
		t.zone = zoneWord
	case offset == universal:
		t.zone = zoneKnown
	default:
		t.zone, t.offset = zoneUsual, int32(offset)*60
	}
	t.wordAt, t.wordEnd = int32(i), int32(e)
	return e
}

// zoneWithOffset reads "GMT+00:00", "UTC-7:00" and "TZ-6": b[e] is the sign.
func (t *stamp) zoneWithOffset(b []byte, i, e int) int {
	switch string(b[i:e]) {
	case "UTC", "GMT", "TZ":
	default:
		return i
	}
	h, f := number(b, e+1, 2)
	if f == 0 || h > 23 {
		return i
	}
	m := 0
	if f < len(b) && b[f] == ':' {
		if v, g := number(b, f+1, 2); g == f+3 && v < 60 {
			m, f = v, g
		}
	} else if v, g := number(b, f, 2); g == f+2 && v < 60 {
		m, f = v, g
	}
	if f < len(b) && isWord(b[f]) {
		return i
	}
	if b[i] == 'T' {
		// The sign of "TZ-6" goes either way: POSIX counts west.
		t.zone, t.wordAt, t.wordEnd = zoneWord, int32(i), int32(f)
		return f
	}
	t.zone, t.offset = zoneKnown, int32(h*3600+m*60)
	if b[e] == '-' {
		t.offset = -t.offset
	}
	return f
}

// beforeMnemonic tells whether a colon and a Cisco mnemonic follow at b[i].
func beforeMnemonic(b []byte, i int) bool {
	i = skipSpaces(b, i)
	if i >= len(b) || b[i] != ':' {
		return false
	}
	return isMnemonic(b, skipSpaces(b, i+1))
}

// isMnemonic tells whether %FACILITY-SEVERITY-MNEMONIC begins at b[i]. Behind "%"
// a capital letter is enough, because not all systems keep to the form. Wireless
// controllers write "#" in its place, which means other things to others.
func isMnemonic(b []byte, i int) bool {
	if i+2 >= len(b) || b[i+1] < 'A' || b[i+1] > 'Z' {
		return false
	}
	switch b[i] {
	case '%':
		return true
	case '#':
		for i++; i < len(b) && isWord(b[i]); {
			i++
		}
		return i+2 < len(b) && b[i] == '-' && isDigit(b[i+1]) && b[i+2] == '-'
	}
	return false
}
