package syslog

import "encoding/binary"

// timeOfDay reads hh:mm[:ss[.fraction]][ AM| PM] at b[i] and returns the first
// byte behind it, or 0. The hour may have one digit.
func (t *stamp) timeOfDay(b []byte, i int) int {
	if i+8 <= len(b) {
		// Eight bytes at once: with "00:00:00" taken off, each digit is in the
		// low half of its byte and the colons are zero.
		v := binary.LittleEndian.Uint64(b[i:]) ^ 0x30303A30303A3030
		if v&0xF0F0FFF0F0FFF0F0 == 0 && (v+0x0606000606000606)&0xF0F0FFF0F0FFF0F0 == 0 {
			t.hour = int8(v&15)*10 + int8(v>>8&15)
			t.minute = int8(v>>24&15)*10 + int8(v>>32&15)
			t.second = int8(v>>48&15)*10 + int8(v>>56&15)
			return t.fractionAndHalf(b, i+8)
		}
	}
	h, i := number(b, i, 2)
	if i == 0 || i >= len(b) || b[i] != ':' {
		return 0
	}
	m, e := number(b, i+1, 2)
	if e != i+3 {
		return 0
	}
	s := 0
	if e < len(b) && b[e] == ':' {
		f := e + 3
		if s, e = number(b, e+1, 2); e != f {
			return 0
		}
	}
	t.hour, t.minute, t.second = int8(h), int8(m), int8(s)
	return t.fractionAndHalf(b, e)
}

// fractionAndHalf reads what may follow the seconds, and checks the time of day.
func (t *stamp) fractionAndHalf(b []byte, i int) int {
	if t.hour > 23 || t.minute > 59 || t.second > 59 {
		midnight := t.hour == 24 && t.minute == 0 && t.second == 0
		leap := t.second == 60 && t.hour < 24 && t.minute < 60
		if !midnight && !leap {
			return 0
		}
	}
	if i == len(b) {
		return i
	}
	if isDigit(b[i]) {
		return 0
	}
	e := t.fraction(b, i)
	// "05:50:19.484 AM", and from Cisco UCM "05:50:19 AM.484".
	h := t.halfDay(b, e)
	if h > e && e == i {
		return t.fraction(b, h)
	}
	return h
}

// fraction reads a fraction of a second, if one begins at b[i].
func (t *stamp) fraction(b []byte, i int) int {
	if i+1 >= len(b) || b[i] != '.' && b[i] != ',' && b[i] != ':' || !isDigit(b[i+1]) {
		return i
	}
	e, micro, scale := i+1, int32(0), int32(100_000)
	for e < len(b) && isDigit(b[e]) {
		micro += int32(b[e]-'0') * scale
		scale /= 10
		e++
	}
	// H3C writes "13:14:30:123 "; any other colon ends the time.
	if b[i] == ':' && (e != i+4 || e == len(b) || b[e] != ' ') {
		return i
	}
	t.micro, t.fracAt, t.fracEnd = micro, int32(i+1), int32(e)
	return e
}

// halfDay reads AM or PM, if that follows at b[i].
func (t *stamp) halfDay(b []byte, i int) int {
	e := i
	if e < len(b) && b[e] == ' ' {
		e++
	}
	if e+2 > len(b) || b[e+1]|0x20 != 'm' || t.hour == 0 || t.hour > 12 {
		return i
	}
	if n := e + 2; n < len(b) && b[n] != ' ' && b[n] != '.' && b[n] != ':' && b[n] != ',' {
		return i // a host or a program named pm
	}
	switch b[e] | 0x20 {
	case 'a':
		t.hour %= 12
	case 'p':
		t.hour = t.hour%12 + 12
	default:
		return i
	}
	return e + 2
}
