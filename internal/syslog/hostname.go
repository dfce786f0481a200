package syslog

import "bytes"

// Hostname returns the host that the header of a message names, as a part of
// msg, or nil if it names none. It is what Parse finds, but for hosts that Parse
// takes from the text (HostInBody). It allocates nothing.
func Hostname(msg []byte) []byte {
	p := parser{b: TrimDatagram(msg)}
	p.h.read(p.b)
	h := &p.h
	s := span{}
	switch {
	case h.frame == FrameRFC5424 || h.frame == FrameRFC5424Malformed:
		s = p.rfc5424Host()
	case h.frame == FrameNone:
	case h.nameEnd > h.nameAt:
		s = span{h.nameAt, h.nameEnd}
	case h.timed && !h.tagTime:
		s = p.rfc3164Host(h.rest)
	}
	if s.empty() {
		return nil
	}
	return p.b[s.at:s.end]
}

// rfc5424Host finds the host of a message with a version.
func (p *parser) rfc5424Host() span {
	b := p.b
	var host span
	i, n, nils := p.h.stampEnd, 0, 0
	for ; n < 4 && i+1 < len(b) && b[i] == ' ' && b[i+1] != ' '; n++ {
		field := span{i + 1, wordEnd(b, i+1)}
		isNil := string(b[field.at:field.end]) == "-"
		switch {
		case n == 0 && !isNil:
			host = field
		case n > 0 && isNil:
			nils++
		}
		i = field.end
	}
	structured := n == 4 && i+1 < len(b) && (b[i+1] == '[' || b[i] == ' ' && b[i+1] == '-' && (i+2 == len(b) || b[i+2] == ' '))
	if structured || nils >= 2 {
		return host
	}
	return p.rfc3164Host(p.h.stampEnd)
}

// rfc3164Host finds the host that follows the time, which ends at b[i].
func (p *parser) rfc3164Host(i int) span {
	b := p.b
	i = skipBlanks(b, i)
	host, i, ok := p.forwardedFrom(i)
	if ok {
		return host
	}
	if bytes.HasPrefix(b[i:], []byte(lastRepeated)) {
		return span{}
	}
	if host, _, ok := readEventTag(b, i); ok {
		return host
	}
	host, _ = p.host(i)
	return host
}
