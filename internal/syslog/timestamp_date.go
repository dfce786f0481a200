package syslog

// The years that are taken for years where a number alone must tell.
const firstYear, lastYear = 1970, 2099

// monthFirst reads "Oct 11 22:14:15" at b[i], with the year before or behind
// the time of day or not at all, and the zone.
func (t *stamp) monthFirst(b []byte, i int, m int8) int {
	if i+15 <= len(b) && b[i+3] == ' ' && b[i+6] == ' ' && b[i+9] == ':' && isDigit(b[i+5]) {
		// The usual: "Oct 11 22:14:15" and "Oct  1 22:14:15".
		tens := b[i+4] - '0'
		if b[i+4] == ' ' {
			tens = 0
		}
		if tens <= 3 {
			if !t.date(0, m, int8(tens*10+b[i+5]-'0')) {
				return 0
			}
			return t.clockYearZone(b, i+7)
		}
	}
	i += 3
	for n := 0; i < len(b) && isLetter(b[i]) && n < 7; n++ {
		i++ // "April", "Sept"
	}
	if i < len(b) && b[i] == '.' {
		i++
	}
	s := skipSpaces(b, i)
	if s == i || s-i > 3 {
		return 0
	}
	d, e := number(b, s, 2)
	if e == 0 || e >= len(b) {
		return 0
	}
	if b[e] == ',' {
		e++
	}
	s = skipSpaces(b, e)
	if s == e || s >= len(b) {
		return 0
	}
	year := 0
	// "Mar 7 2008 19:06:53", "Mar 03 2021:20:07:54", "Mar 28, 2014 16:46:59"
	if y, ye := number(b, s, 4); ye == s+4 && ye < len(b) {
		if b[ye] == ',' {
			ye++
		}
		if ye == len(b) || b[ye] != ' ' && b[ye] != ':' {
			return 0
		}
		year = y
		if s = skipSpaces(b, ye); b[ye] == ':' {
			s = ye + 1
		}
	}
	if !t.date(year, m, int8(d)) {
		return 0
	}
	return t.clockYearZone(b, s)
}

// clockYearZone reads the time of day, then zone and year in either order.
func (t *stamp) clockYearZone(b []byte, i int) int {
	e := t.timeOfDay(b, i)
	if e == 0 || e >= len(b) || b[e] == ' ' && e+1 < len(b) && 'a' <= b[e+1] && b[e+1] <= 'z' {
		return e // the usual: a host follows
	}
	e = t.yearBehind(b, e)
	z := t.readZone(b, e)
	if t.zone != zoneUnsaid {
		z = t.yearBehind(b, z)
	}
	return z
}

// yearBehind reads " 2026", if that follows and the year is still open.
func (t *stamp) yearBehind(b []byte, i int) int {
	if t.year != 0 || i+5 > len(b) || b[i] != ' ' || b[i+1] != '1' && b[i+1] != '2' {
		return i
	}
	y, e := number(b, i+1, 4)
	if e != i+5 || y < firstYear || y > lastYear {
		return i
	}
	if e < len(b) {
		switch {
		case b[e] == ' ', b[e] == ']':
		case b[e] == ':' && (e+1 == len(b) || b[e+1] == ' '): // not "2001:db8::17"
		default:
			return i
		}
	}
	if !t.date(y, t.month, t.day) {
		return i
	}
	return e
}

// weekdayFirst reads "Tue Aug 12 08:26:30 2025" or "Thu, 28 May 2020 22:48:15".
func (t *stamp) weekdayFirst(b []byte, i int) int {
	if i+4 > len(b) {
		return 0
	}
	switch string([]byte{b[i] | 0x20, b[i+1] | 0x20, b[i+2] | 0x20}) {
	case "mon", "tue", "wed", "thu", "fri", "sat", "sun":
	default:
		return 0
	}
	i += 3
	for n := 0; i < len(b) && isLetter(b[i]) && n < 6; n++ {
		i++ // "Wednesday"
	}
	if i < len(b) && b[i] == ',' {
		i++
	}
	s := skipSpaces(b, i)
	if s == i || s >= len(b) {
		return 0
	}
	if m := month(b, s); m > 0 {
		return t.monthFirst(b, s, m)
	}
	if _, e := number(b, s, 2); e > 0 && e < len(b) && (b[e] == ' ' || b[e] == '-') {
		return t.dayFirst(b, s, e)
	}
	return 0
}

// yearFirst reads "2017 Mar  6 12:53:10".
func (t *stamp) yearFirst(b []byte, i int) int {
	y, e := number(b, i, 4)
	s := skipSpaces(b, e)
	m := month(b, s)
	if m == 0 {
		return 0
	}
	for s += 3; s < len(b) && isLetter(b[s]); {
		s++
	}
	d, de := number(b, skipSpaces(b, s), 2)
	if de == 0 || de >= len(b) || b[de] != ' ' || !t.date(y, m, int8(d)) {
		return 0
	}
	return t.clockYearZone(b, skipSpaces(b, de))
}

// dayFirst reads what begins with one or two digits and a separator at b[e]:
// "26/Oct/2020:17:22:26", "28 May 2020 22:48:15", "02/17/2025:07:32:36".
func (t *stamp) dayFirst(b []byte, i, e int) int {
	d, _ := number(b, i, 2)
	sep := b[e]
	s := e + 1
	m := month(b, s)
	if m > 0 {
		for s += 3; s < len(b) && isLetter(b[s]); {
			s++
		}
	} else {
		n, ne := number(b, s, 2)
		if ne == 0 || sep == ' ' {
			return 0
		}
		m, s = int8(n), ne
		switch {
		case sep == '/' && d <= 12 && m <= 12:
			// Either way round: month first, and the clock decides.
			t.either = d != int(m)
			d, m = int(m), int8(d)
		case m > 12:
			d, m = int(m), int8(d)
		}
	}
	if s >= len(b) || b[s] != sep {
		return 0
	}
	y, ye := number(b, s+1, 4)
	if ye != s+5 || ye >= len(b) || !t.date(y, m, int8(d)) {
		return 0
	}
	return t.clockAndZone(b, ye)
}

// clockAndZone reads the time of day and the zone behind a date that ends at
// b[i] with one of the separators in use.
func (t *stamp) clockAndZone(b []byte, i int) int {
	s := i
	switch b[i] {
	case ' ':
		s = skipSpaces(b, i)
	case ',':
		s = skipSpaces(b, i+1)
	case 'T', 't', ':', '-', '_', '/':
		s = i + 1
	default:
		return 0
	}
	e := t.timeOfDay(b, s)
	if e == 0 {
		return 0
	}
	return t.readZone(b, e)
}
