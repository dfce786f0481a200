package syslog

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
	d := b[i : i+10 : i+10]
	for _, c := range [...]byte{d[0], d[1], d[2], d[3], d[5], d[6], d[8], d[9]} {
		if !isDigit(c) {
			return 0
		}
	}
	year := int(d[0]-'0')*1000 + int(d[1]-'0')*100 + int(d[2]-'0')*10 + int(d[3]-'0')
	if year == 0 || !t.date(year, int8((d[5]-'0')*10+d[6]-'0'), int8((d[8]-'0')*10+d[9]-'0')) {
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
	t.fracAt, t.fracEnd = at, e
	for k, scale := at, int32(100_000); k < e && scale > 0; k++ {
		t.micro += int32(b[k]-'0') * scale
		scale /= 10
	}
	return e
}
