package syslog

import "bytes"

// rfc3164 reads what follows the time, or stands in its place: host, tag, text.
func (p *parser) rfc3164() {
	h := &p.h
	switch {
	case p.m.Frame == FrameNone:
		p.text = 0
	case h.nameEnd > h.nameAt:
		p.m.Hostname = p.span(h.nameAt, h.nameEnd, SpanHostname)
		p.tag(h.rest)
	case !h.timed || h.tagTime:
		p.tag(h.rest)
	default:
		p.hostAndTag(h.rest)
	}
}

// hostAndTag reads what follows the time, which ends at b[i].
func (p *parser) hostAndTag(i int) {
	b := p.b
	i = skipBlanks(b, i)
	forwarder, i, ok := p.forwardedFrom(i)
	if ok {
		p.m.Hostname = p.span(forwarder.at, forwarder.end, SpanHostname)
		p.tag(i)
		return
	}
	if bytes.HasPrefix(b[i:], []byte(lastRepeated)) {
		p.text = i
		return
	}
	if host, t, ok := readEventTag(b, i); ok {
		p.m.Hostname = p.span(host.at, host.end, SpanHostname)
		p.m.AppName = p.span(t.name.at, t.name.end, SpanAppName)
		p.text = t.next
		return
	}
	host, next := p.host(i)
	if !host.empty() {
		p.m.Hostname = p.span(host.at, host.end, SpanHostname)
	}
	p.tag(next)
}

// lastRepeated is said by syslogd itself, without a tag.
const lastRepeated = "last message repeated"

// forwardedFrom reads what AIX puts before the host at b[i]. next is behind what
// was read; with ok a tag may follow there.
func (p *parser) forwardedFrom(i int) (host span, next int, ok bool) {
	const forwarded = "Message forwarded from "
	b := p.b
	if !bytes.HasPrefix(b[i:], []byte(forwarded)) {
		return span{}, i, false
	}
	i += len(forwarded)
	e := bytes.IndexByte(b[i:], ':')
	if e <= 0 || !isHost(b[i:i+e]) {
		return span{}, i, false
	}
	return span{i, i + e}, i + e + 1, true
}

// host finds the host at b[i], and returns where a tag may follow.
func (p *parser) host(i int) (host span, next int) {
	b := p.b
	e := wordEnd(b, i)
	if isFacilityAndSeverity(b[i:e]) {
		i = skipBlanks(b, e)
		e = wordEnd(b, i)
	}
	word := b[i:e]
	switch {
	case len(word) == 0, isMnemonic(b, i):
		return span{}, i
	case string(word) == "-":
		return span{}, e
	}
	if s, ok := accessPoint(b, span{i, e}); ok {
		return s, e
	}
	last := len(word) - 1
	if word[0] == '[' && word[last] == ']' && isAddress(word[1:last]) {
		return span{i + 1, e - 1}, e
	}
	if word[last] == ':' && last > 0 && !isAddress(word) {
		// "name:" is a tag, unless it is an address or Cisco's mnemonic follows.
		// Or it stands there twice, as ONTAP's audit log has it.
		again := skipSpaces(b, e)
		twice := bytes.Equal(b[again:wordEnd(b, again)], word)
		if isAddress(word[:last]) || isHost(word[:last]) && (twice || isDomain(word[:last]) || p.mnemonicFollows(e)) {
			if twice {
				e = wordEnd(b, again)
			}
			return span{i, i + last}, e
		}
		return span{}, i
	}
	if !isHost(word) && !(allDigits(word) && p.tagFollows(e)) {
		return span{}, i
	}
	if p.h.colon && !p.tagFollows(e) {
		// "TIME: host tag: text" and "TIME: text" look alike but for the tag.
		return span{}, i
	}
	return span{i, e}, e
}

// mnemonicFollows tells whether Cisco's mnemonic follows at b[i], directly or
// behind a sequence number and a second time.
func (p *parser) mnemonicFollows(i int) bool {
	b := p.b
	i = skipSpaces(b, i)
	if isMnemonic(b, i) {
		return true
	}
	if _, e := number(b, i, 12); e > 0 && e < len(b) && b[e] == ':' {
		i = skipSpaces(b, e+1)
	}
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		i++
	}
	var t stamp
	e := t.parse(b, i)
	return e > 0 && beforeMnemonic(b, e)
}

// tagFollows tells whether a tag or Cisco's mnemonic follows at b[i].
func (p *parser) tagFollows(i int) bool {
	i = skipSpaces(p.b, i)
	_, ok := readTag(p.b, i)
	return ok || isMnemonic(p.b, i)
}

// tag reads the tag at b[i], if there is one; the text follows.
func (p *parser) tag(i int) {
	b := p.b
	i = skipBlanks(b, i)
	if i+1 < len(b) && b[i] == ':' && b[i+1] == ' ' {
		i = skipSpaces(b, i+1) // Cisco ASA: "host : %ASA-6-…"
	}
	p.text = i
	at := i
	if e := wordEnd(b, i); isSeverity(b[i+bytes.LastIndexByte(b[i:e], ':')+1 : e]) {
		// F5: "host notice httpd[16784]: text", AIX: "auth|security:info sshd[1]:"
		at = skipSpaces(b, e)
	}
	t, ok := readTag(b, at)
	if !ok || isMnemonic(b, at) || !p.h.timed && allDigits(b[t.name.at:t.name.end]) {
		return // a sequence number is no tag
	}
	p.m.AppName = p.span(t.name.at, t.name.end, SpanAppName)
	if !t.pid.empty() {
		p.m.ProcID = p.span(t.pid.at, t.pid.end, SpanProcID)
	}
	p.text = t.next
}
