package syslog

// maxPairs is how many pairs are read to find time and host, and zonePairs how
// many more to find the zone of the time. Devices that send key=value text put
// them near the front.
const (
	maxPairs  = 32
	zonePairs = 12
)

// pairs reads "key=value" text: values may be in quotes, and a space, "|", a
// tab, "," or ";" parts the pairs, whichever follows the first value.
type pairs struct {
	b         []byte
	next      int
	separator byte

	key          []byte
	value, after int // b[value:after] is the value without its quotes
}

// startPairs returns the pairs of the text at b[i]. ok is false if it does not
// begin with a key and "=".
func startPairs(b []byte, i int) (p pairs, ok bool) {
	p = pairs{b: b, next: i}
	e := keyEnd(b, i)
	if e == i || e >= len(b) || b[e] != '=' {
		return p, false
	}
	for v := e + 1; v < len(b); v++ {
		switch c := b[v]; c {
		case '"':
			v = quoteEnd(b, v+1)
		case ' ', '|', '\t', ',', ';':
			p.separator = c
			return p, true
		}
	}
	return p, true
}

func keyEnd(b []byte, i int) int {
	e := i
	for e < len(b) && e-i < 64 && byteClass[b[e]]&keyByte != 0 {
		e++
	}
	return e
}

// quoteEnd returns where the closing quote of the value at b[i] is.
func quoteEnd(b []byte, i int) int {
	for i < len(b) && b[i] != '"' {
		if b[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(b))
}

// scan reads the next pair.
func (p *pairs) scan() bool {
	b, i := p.b, p.next
	for {
		for i < len(b) && (isSpace(b[i]) || b[i] == p.separator) {
			i++
		}
		e := keyEnd(b, i)
		if e > i && e < len(b) && b[e] == '=' {
			p.key, p.value = b[i:e], e+1
			break
		}
		// Not a pair: a word of a value that was not quoted.
		for i = e; i < len(b) && b[i] != ' ' && b[i] != p.separator; {
			i++
		}
		if i >= len(b) {
			return false
		}
	}
	if v := p.value; v < len(b) && b[v] == '"' {
		p.value = v + 1
		p.after = quoteEnd(b, v+1)
		p.next = min(p.after+1, len(b))
		return true
	}
	e := p.value
	for e < len(b) && b[e] != p.separator && b[e] != '\n' {
		e++
	}
	p.after, p.next = e, e
	return true
}

// deviceHeader is what a key=value text says of its time and device.
type deviceHeader struct {
	whenAt, whenEnd int // a whole time
	dateAt, dateEnd int
	timeAt, timeEnd int
	zoneAt, zoneEnd int
	hostAt, hostEnd int
}

// readDeviceHeader looks through the pairs for the keys of firewalls that send
// no syslog header: FortiGate (date, time, tz, devname), Check Point (time,
// hostname), SonicWall and Stormshield (time, tz, fw), Sophos (date, time,
// timezone, device_name, timestamp). With timeOnly it stops as soon as it has
// the time.
func readDeviceHeader(b []byte, i int, timeOnly bool) (d deviceHeader, ok bool) {
	p, ok := startPairs(b, i)
	if !ok {
		return d, false
	}
	for left := maxPairs; left > 0 && p.scan(); left-- {
		switch string(p.key) {
		case "date":
			d.dateAt, d.dateEnd = p.value, p.after
			left = min(left, zonePairs)
		case "time":
			if d.timeEnd == 0 {
				d.timeAt, d.timeEnd = p.value, p.after
				left = min(left, zonePairs)
				if timeOnly && p.after-p.value >= 10 && allDigits(p.b[p.value:p.after]) {
					return d, true // since 1970: there is no zone to look for
				}
			}
		case "timestamp":
			d.whenAt, d.whenEnd = p.value, p.after
		case "tz", "timezone":
			d.zoneAt, d.zoneEnd = p.value, p.after
			if timeOnly && d.timeEnd > 0 {
				return d, true
			}
		case "devname", "device_name", "hostname", "fw":
			if d.hostEnd == 0 {
				d.hostAt, d.hostEnd = p.value, p.after
			}
		}
	}
	return d, true
}

// keyValueTime finds the time of the key=value text at b[i].
func (h *header) keyValueTime(b []byte, i int) bool {
	d, ok := readDeviceHeader(b, i, true)
	if !ok {
		return false
	}
	t := &h.stamp
	switch {
	case d.dateEnd > 0 && d.timeEnd > 0 && h.dateAndTime(b, d):
	case d.timeEnd > 0 && h.bodyStamp(b, d.timeAt, d.timeEnd):
	case d.whenEnd > 0 && h.bodyStamp(b, d.whenAt, d.whenEnd):
	default:
		return false
	}
	if d.zoneEnd > d.zoneAt && t.zone == zoneUnsaid {
		zone := b[:d.zoneEnd]
		if t.readZone(zone, d.zoneAt) == d.zoneAt {
			t.readZoneWord(zone, d.zoneAt)
		}
	}
	return true
}

// dateAndTime reads a time that is in two pairs.
func (h *header) dateAndTime(b []byte, d deviceHeader) bool {
	t := &h.stamp
	*t = stamp{}
	y, e := number(b, d.dateAt, 4)
	if e != d.dateAt+4 || e+6 != d.dateEnd || b[e] != '-' && b[e] != '/' || b[e+3] != b[e] {
		return false
	}
	m, me := number(b, e+1, 2)
	day, de := number(b, e+4, 2)
	if me != e+3 || de != e+6 || !t.date(y, int8(m), int8(day)) {
		return false
	}
	e = t.timeOfDay(b[:d.timeEnd], d.timeAt)
	if e == 0 {
		return false
	}
	return t.readZone(b[:d.timeEnd], e) == d.timeEnd && h.tookBody(min(d.dateAt, d.timeAt), max(d.dateEnd, d.timeEnd))
}
