package gelf

import (
	"bytes"
	"time"
)

// timestamp returns the time that the value of "timestamp" stands for.
func timestamp(m member) (micros int64, ok bool) {
	switch m.kind {
	case numberValue:
		return parseSeconds(m.raw)
	case stringValue:
		text := m.raw
		if m.escaped {
			var buf [64]byte
			text = AppendUnquoted(buf[:0], text)
		}
		text = bytes.Trim(text, " \t\r\n")
		if micros, ok = parseSeconds(text); ok {
			return micros, true
		}
		return parseRFC3339(text)
	}
	return 0, false
}

func parseRFC3339(b []byte) (micros int64, ok bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || len(b) > len("2006-01-02T15:04:05.999999999999+07:00") || b[4] != '-' {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil || t.UnixMicro() <= 0 {
		return 0, false
	}
	return t.UnixMicro(), true
}

// significant is how many decimal digits always fit an uint64. It is enough: no
// time has more than 17 digits down to the microsecond.
const significant = 19

// parseSeconds reads a decimal number without going through floating point, so
// that 1385053862.3072 is exactly that.
func parseSeconds(b []byte) (micros int64, ok bool) {
	d, ok := parseDecimal(b)
	if !ok || d.digits == 0 {
		return 0, false
	}
	shift := d.exp
	switch whole := d.digits + d.exp; { // digits before the point
	case whole <= 11:
		shift += 6 // seconds, up to the year 5138
	case whole <= 14:
		shift += 3 // milliseconds
	case whole <= 17: // microseconds
	case whole <= 20:
		shift -= 3 // nanoseconds
	default:
		return 0, false
	}
	v := d.mantissa
	for ; shift > 0; shift-- {
		v *= 10
	}
	for ; shift < 0 && v > 0; shift++ {
		v /= 10
	}
	return int64(v), v > 0
}

// decimal is mantissa × 10^exp. Digits that do not fit the mantissa are cut.
type decimal struct {
	mantissa uint64
	digits   int // of the mantissa, without leading zeros
	exp      int
}

// parseDecimal reads a number that is not negative, in JSON's form, and nothing
// after it.
func parseDecimal(b []byte) (d decimal, ok bool) {
	i := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if !d.push(b[i]) {
			d.exp++
		}
	}
	if i == 0 {
		return d, false
	}
	if i < len(b) && b[i] == '.' {
		point := i
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			if d.digits < significant {
				d.push(b[i])
				d.exp--
			}
		}
		if i == point+1 {
			return d, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		e, n := parseExponent(b[i+1:])
		if n == 0 {
			return d, false
		}
		d.exp += e
		i += 1 + n
	}
	return d, i == len(b)
}

// push takes one more digit, if it fits.
func (d *decimal) push(c byte) bool {
	if d.digits == significant {
		return false
	}
	d.mantissa = d.mantissa*10 + uint64(c-'0')
	if d.mantissa > 0 {
		d.digits++
	}
	return true
}

// parseExponent returns a number and its length. Numbers no time can have are
// as good as one another.
func parseExponent(b []byte) (v, n int) {
	const absurd = 1 << 30
	sign := 1
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		if b[0] == '-' {
			sign = -1
		}
		n = 1
	}
	start := n
	for ; n < len(b) && b[n]-'0' <= 9; n++ {
		v = min(v*10+int(b[n]-'0'), absurd)
	}
	if n == start {
		return 0, 0
	}
	return sign * v, n
}
