package syslog

import (
	"bytes"
	"net/netip"
	"strings"
)

// span is a part of a message. It is empty if both are equal.
type span struct{ at, end int }

func (s span) empty() bool { return s.end <= s.at }

// tag is the TAG of RFC 3164: a program's name and, in brackets, its process.
type tag struct {
	name, pid span
	next      int // first byte of the text behind the tag
}

// readTag reads "name:", "name[pid]:" or "name[pid]" at b[i]. The name may hold
// what programs are called in practice: "postfix/smtpd", "su(pam_unix)".
// CEF and LEEF begin like a tag and are none.
func readTag(b []byte, i int) (t tag, ok bool) {
	e := i
	var all uint8
	for e < len(b) && e-i <= maxName && byteClass[b[e]]&tagByte != 0 {
		all |= byteClass[b[e]]
		e++
	}
	if e == i || e >= len(b) || b[i] == '(' || b[i] == '%' || all&(wordByte|wideByte) == 0 {
		return t, false
	}
	t.name = span{i, e}
	switch b[e] {
	case ':':
		if e+1 < len(b) && !isSpace(b[e+1]) && !tightTag(b, i, e) {
			return t, false
		}
	case '[':
		end := bytes.IndexByte(b[e:min(len(b), e+maxName)], ']')
		if end < 2 || bytes.IndexByte(b[e:e+end], '\n') >= 0 {
			return t, false
		}
		t.pid = span{e + 1, e + end}
		e += end + 1
		if e < len(b) && b[e] != ':' && !isSpace(b[e]) {
			return t, false
		}
	default:
		return t, false
	}
	if e < len(b) && b[e] == ':' {
		e++
	}
	t.next = skipSpaces(b, e)
	return t, true
}

// tightTag tells whether the text may follow the colon b[e] without a space:
// "ASM:unit=…" is a tag, "10.0.0.1:80", "http://" and "CEF:0|" are none.
func tightTag(b []byte, i, e int) bool {
	switch string(b[i:e]) {
	case "CEF", "LEEF":
		return false
	}
	return isLetter(b[i]) && (isLetter(b[e+1]) || b[e+1] == '[' || b[e+1] == '{' || b[e+1] == '"')
}

// isHost tells whether a word may be the name or address of a host. Numbers
// alone and severities are not: devices that leave out the host put those in
// its place.
func isHost(w []byte) bool {
	if len(w) > maxName || len(w) == 0 || w[0] == '-' || w[0] == '%' {
		return false
	}
	var all uint8
	for _, c := range w {
		if byteClass[c]&hostByte == 0 {
			return false
		}
		all |= byteClass[c]
	}
	if all&(letterByte|wideByte) == 0 && (all&digitByte == 0 || allDigits(w)) || isSeverity(w) {
		return false
	}
	// NetScaler's packet engine stands behind the host, or in its place.
	return !bytes.Contains(w, []byte("-PPE-"))
}

var severities = [...]string{
	"info", "notice", "warn", "warning", "err", "error", "debug", "crit", "critical", "alert", "emerg", "fatal", "trace",
}

var facilities = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "security", "ftp", "ntp",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// isSeverity tells whether a word is the name of a severity, in any case.
func isSeverity(w []byte) bool { return isOneOf(w, severities[:]) }

// isFacilityAndSeverity tells whether a word is "local0.info" or "<local0.info>",
// which BSD's syslogd and Kiwi write before the host.
func isFacilityAndSeverity(w []byte) bool {
	if len(w) > 2 && w[0] == '<' && w[len(w)-1] == '>' {
		w = w[1 : len(w)-1]
	}
	facility, severity, ok := bytes.Cut(w, []byte("."))
	return ok && isSeverity(severity) && isOneOf(facility, facilities[:])
}

func isOneOf(w []byte, names []string) bool {
	if len(w) < 3 || len(w) > 8 {
		return false
	}
	for _, name := range names {
		if len(name) == len(w) && strings.EqualFold(name, string(w)) {
			return true
		}
	}
	return false
}

// isDomain tells whether a name is more likely a host's than a program's: it has
// at least three labels and does not begin with a top-level domain, as the
// names of macOS and Java do.
func isDomain(w []byte) bool {
	if bytes.Count(w, []byte(".")) < 2 || isDigit(w[len(w)-1]) {
		return false
	}
	first, _, _ := bytes.Cut(w, []byte("."))
	switch string(first) {
	case "com", "org", "net", "io", "de", "uk":
		return false
	}
	return bytes.IndexByte(w, '/') < 0
}

func isAddress(w []byte) bool {
	for _, c := range w {
		if c == '%' {
			break // a zone follows
		}
		if !isDigit(c) && c != '.' && c != ':' && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false // most words end here, which spares them an error value
		}
	}
	_, err := netip.ParseAddr(string(w))
	return err == nil
}

// readEventTag reads "[host:event:notice]:" or "[host: process: event:notice]:",
// which NetApp's ONTAP sends in place of host and tag.
func readEventTag(b []byte, i int) (host span, t tag, ok bool) {
	w := b[i:min(len(b), i+maxName)]
	end := bytes.Index(w, []byte("]:"))
	if end < 0 || w[0] != '[' {
		return host, t, false
	}
	first := bytes.IndexByte(w[:end], ':')
	last := bytes.LastIndexByte(w[:end], ':')
	if first == last || !isSeverity(w[last+1:end]) || !isHost(w[1:first]) {
		return host, t, false
	}
	name := skipSpaces(b, i+first+1)
	stop := i + first + 1 + bytes.IndexByte(w[first+1:], ':')
	if name >= stop {
		return host, t, false
	}
	return span{i + 1, i + first}, tag{name: span{name, stop}, next: skipSpaces(b, i+end+2)}, true
}

// accessPoint returns the host in "name,mac,version", which UniFi devices send
// in the place of the host, bare or as ("name,mac,version").
func accessPoint(b []byte, s span) (host span, ok bool) {
	w := b[s.at:s.end]
	if len(w) > 4 && w[0] == '(' && w[1] == '"' {
		s.at, w = s.at+2, w[2:]
	}
	comma := bytes.IndexByte(w, ',')
	if comma < 1 || len(w) < comma+14 || w[comma+13] != ',' || !isHost(w[:comma]) {
		return span{}, false
	}
	for _, c := range w[comma+1 : comma+13] {
		if c |= 0x20; !isDigit(c) && (c < 'a' || c > 'f') {
			return span{}, false
		}
	}
	return span{s.at, s.at + comma}, true
}
