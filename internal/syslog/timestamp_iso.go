package syslog

import "encoding/binary"

// iso reads RFC 3339 and what resembles it: year, month and day in digits
// parted by "-", "/", ":" or ".", a separator, time of day, zone.
//
//	2024-03-04T02:01:58.250+01:00   2024-03-04 02:01:58,250
//	2024/03/04:02:01:58 GMT         2017:06:28-10:36:36
func (t *stamp) iso(b []byte, i int) int {
	y, e := number(b, i, 4)
	sep := b[e]
	m, me := number(b, e+1, 2)
	if me == 0 || me >= len(b) || b[me] != sep {
		return 0
	}
	d, de := number(b, me+1, 2)
	if de == 0 || de >= len(b) || y == 0 || !t.date(y, int8(m), int8(d)) {
		return 0
	}
	return t.clockAndZone(b, de)
}

// rfc3339 reads what iso does, where "-" and "T" are known to be in their places.
func (t *stamp) rfc3339(b []byte, i int) int {
	// Year and month at once, as timeOfDay does it, with "0000-00-" taken off.
	v := binary.LittleEndian.Uint64(b[i:]) ^ 0x2D30302D30303030
	tens, ones := b[i+8]-'0', b[i+9]-'0'
	if (v|(v+0x0006060006060606))&0x00F0F000F0F0F0F0 != 0 || tens > 9 || ones > 9 {
		return 0
	}
	year := int(v&15)*1000 + int(v>>8&15)*100 + int(v>>16&15)*10 + int(v>>24&15)
	month := int8(v>>40&15)*10 + int8(v>>48&15)
	if year == 0 || !t.date(year, month, int8(tens*10+ones)) {
		return 0
	}
	e := t.timeOfDay(b, i+11)
	if e == 0 {
		return 0
	}
	return t.readZone(b, e)
}

// isoBasic reads 20240304T020158Z.
func (t *stamp) isoBasic(b []byte, i int) int {
	if i+15 > len(b) {
		return 0
	}
	y, _ := number(b, i, 4)
	m, _ := number(b, i+4, 2)
	d, _ := number(b, i+6, 2)
	clock, e := number(b, i+9, 6)
	if e != i+15 || y == 0 || !t.date(y, int8(m), int8(d)) {
		return 0
	}
	t.hour, t.minute, t.second = int8(clock/10000), int8(clock/100%100), int8(clock%100)
	if e = t.fractionAndHalf(b, e); e == 0 {
		return 0
	}
	return t.readZone(b, e)
}

// The seconds since 1970 that are taken for a time: September 2001, when they
// got ten digits, to the end of 2099.
const firstEpoch, lastEpoch = 1_000_000_000, 4_102_444_800

// sinceEpoch reads b[i:e], which are digits, as seconds since 1970 with or
// without a fraction, or as 13, 16 or 19 digits of milli-, micro- or
// nanoseconds.
func (t *stamp) sinceEpoch(b []byte, i, e int) int {
	n := e - i
	if n != 10 && n != 13 && n != 16 && n != 19 {
		return 0
	}
	secs, at := number(b, i, 10)
	if secs < firstEpoch || secs >= lastEpoch {
		return 0
	}
	t.epoch, t.unix, t.zone = true, int64(secs), zoneKnown
	if n == 10 {
		if e+1 < len(b) && b[e] == '.' && isDigit(b[e+1]) {
			return t.fraction(b, e)
		}
		return e
	}
	t.fracAt, t.fracEnd = int32(at), int32(e)
	for k, scale := at, int32(100_000); k < e && scale > 0; k++ {
		t.micro += int32(b[k]-'0') * scale
		scale /= 10
	}
	return e
}
