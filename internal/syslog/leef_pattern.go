package syslog

// parsePattern reads the time that begins at b[i] and goes on to the end of b,
// by a pattern of Java's SimpleDateFormat, as LEEF's devTimeFormat gives it. It
// returns false if time and pattern do not fit or no date is in them.
func (t *stamp) parsePattern(b []byte, i int, pattern []byte) bool {
	*t = stamp{}
	var year, mon, day, hour, minute, second int
	half := byte(0)
	for p := 0; p < len(pattern); {
		c := pattern[p]
		n := 1
		for p+n < len(pattern) && pattern[p+n] == c {
			n++
		}
		p += n
		end := i
		switch c {
		case 'y', 'u', 'Y':
			if year, end = number(b, i, 4); n == 2 && end == i+2 {
				year += 2000
			}
		case 'M', 'L':
			if n >= 3 {
				mon = int(month(b, i))
				for end = i; mon > 0 && end < len(b) && isLetter(b[end]); {
					end++
				}
			} else {
				mon, end = number(b, i, 2)
			}
		case 'd':
			day, end = number(b, skipSpaces(b, i), 2)
		case 'H', 'k', 'h', 'K':
			hour, end = number(b, i, 2)
		case 'm':
			minute, end = number(b, i, 2)
		case 's':
			second, end = number(b, i, 2)
		case 'S', 'n':
			end = t.digitsOfFraction(b, i)
		case 'a':
			if i+1 < len(b) {
				half, end = b[i]|0x20, i+2
			}
		case 'E':
			for end < len(b) && isLetter(b[end]) {
				end++
			}
		case 'z', 'Z', 'X', 'x':
			if end = t.readZone(b, i); end == i {
				end = t.readZoneWord(b, i)
			}
		case '\'':
			continue // quotes only set letters apart, which are compared below
		default:
			for end = i; end < len(b) && end < i+n && b[end] == c; {
				end++
			}
			if end != i+n {
				return false
			}
		}
		if end <= i {
			return false
		}
		i = end
	}
	if half == 'p' && hour < 12 {
		hour += 12
	} else if half == 'a' && hour == 12 {
		hour = 0
	}
	if i != len(b) || hour > 23 || minute > 59 || second > 60 || year == 0 {
		return false
	}
	t.hour, t.minute, t.second = int8(hour), int8(minute), int8(second)
	return t.date(year, int8(mon), int8(day))
}

// digitsOfFraction reads the digits of a fraction at b[i].
func (t *stamp) digitsOfFraction(b []byte, i int) int {
	e, scale := i, int32(100_000)
	for e < len(b) && isDigit(b[e]) {
		t.micro += int32(b[e]-'0') * scale
		scale /= 10
		e++
	}
	if e > i {
		t.fracAt, t.fracEnd = int32(i), int32(e)
	}
	return e
}
