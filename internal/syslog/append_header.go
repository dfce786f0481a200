package syslog

import "strconv"

// DefaultPRI, user.notice, is for messages without a valid PRI (Scan.HasPRI is
// false), as RFC 3164 section 4.3.3 wants it.
const DefaultPRI = 13

// AppendHeader appends an RFC 5424 header with a PRI from 0 to 191, the time of a
// message and the address of its sender:
//
//	<13>1 2006-01-02T15:04:05.000000Z ADDRESS - - - -
//
// timeMicros is in microseconds since 1970, and an empty address becomes "-". It
// allocates only if dst is too small.
func AppendHeader(dst []byte, pri int, timeMicros int64, address string) []byte {
	if address == "" {
		address = "-"
	}
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(pri), 10)
	dst = append(dst, ">1 "...)
	dst = appendInstant(dst, timeMicros)
	dst = append(dst, ' ')
	dst = append(dst, address...)
	return append(dst, " - - - - "...)
}

// appendInstant appends a time as 2006-01-02T15:04:05.000000Z.
func appendInstant(dst []byte, micros int64) []byte {
	secs, frac := floorDiv(micros, 1_000_000)
	days, inDay := floorDiv(secs, 86400)
	year, month, day := civil(days)
	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, int64(month), 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, int64(day), 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, inDay/3600, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, inDay/60%60, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, inDay%60, 2)
	dst = append(dst, '.')
	dst = appendDigits(dst, frac, 6)
	return append(dst, 'Z')
}

// appendDigits appends the last n digits of v.
func appendDigits(dst []byte, v int64, n int) []byte {
	var d [8]byte
	for i := n - 1; i >= 0; i-- {
		d[i] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, d[:n]...)
}

// floorDiv divides, rounding down, so that the rest is never negative.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}
