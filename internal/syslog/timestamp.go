package syslog

// zoneKind tells how much a time says of its zone.
type zoneKind uint8

const (
	zoneUnsaid zoneKind = iota // nothing: it is in Scanner.Location
	zoneKnown                  // an offset, Z, UTC or GMT
	zoneUsual                  // a word with one usual offset, such as CEST
	zoneWord                   // a word that may mean several: Scanner.Location
)

// stamp is a time as it stands in a message.
type stamp struct {
	year         int32 // 0: not sent
	micro        int32
	offset       int32 // seconds east of UTC for zoneKnown and zoneUsual
	month, day   int8
	hour, minute int8
	second       int8 // 60 is a leap second
	zone         zoneKind
	// either: day and month are both at most 12 and may be the other way round.
	either bool
	// epoch: seconds since 1970 are in unix, and the calendar fields are unset.
	epoch bool
	unix  int64
	// The digits of the fraction, and the zone word.
	fracAt, fracEnd int32
	wordAt, wordEnd int32
}

// parse reads the time that begins at b[i], in any of the forms devices send
// (docs/formats.md). It returns the first byte behind it and its zone, or 0 if
// there is no time. What it leaves in t is valid only if it found one.
func (t *stamp) parse(b []byte, i int) int {
	if i >= len(b) {
		return 0
	}
	*t = stamp{}
	if c := b[i]; !isDigit(c) {
		if !isLetter(c) {
			return 0
		}
		if m := month(b, i); m > 0 {
			return t.monthFirst(b, i, m)
		}
		return t.weekdayFirst(b, i)
	}
	if len(b)-i >= 19 && b[i+4] == '-' && b[i+7] == '-' && b[i+10] == 'T' {
		return t.rfc3339(b, i)
	}
	return t.digitsFirst(b, i)
}

// digitsFirst sorts out what begins with a digit by how many there are and
// what follows them.
func (t *stamp) digitsFirst(b []byte, i int) int {
	e := i
	for e < len(b) && isDigit(b[e]) && e-i < 20 {
		e++
	}
	if e == len(b) {
		return t.sinceEpoch(b, i, e)
	}
	sep := b[e]
	switch n := e - i; {
	case n == 4 && (sep == '-' || sep == '/' || sep == ':' || sep == '.'):
		return t.iso(b, i)
	case n == 4 && sep == ' ':
		return t.yearFirst(b, i)
	case n <= 2 && (sep == '/' || sep == '.' || sep == '-' || sep == ' '):
		return t.dayFirst(b, i, e)
	case n == 8 && (sep == 'T' || sep == 't'):
		return t.isoBasic(b, i)
	}
	return t.sinceEpoch(b, i, e)
}
