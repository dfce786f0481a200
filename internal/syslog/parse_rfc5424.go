package syslog

// rfc5424 reads what follows the time of a message with a version: host, app,
// process, message id, structured data and text.
func (p *parser) rfc5424() {
	b := p.b
	var fields [4]span
	i, n := p.h.stampEnd, 0
	for ; n < len(fields) && i+1 < len(b) && b[i] == ' ' && b[i+1] != ' '; n++ {
		fields[n] = span{i + 1, wordEnd(b, i+1)}
		i = fields[n].end
	}
	if n == len(fields) && i+1 < len(b) && b[i] == ' ' {
		if end := p.structured(i + 1); end > 0 {
			p.fields(fields[:])
			p.text = end
			if end < len(b) && b[end] == ' ' {
				p.text++
			}
			return
		}
	}
	p.malformed(fields[:n], i)
}

// structured reads "-" or structured data at b[i], and returns the first byte
// behind it, or 0.
func (p *parser) structured(i int) int {
	b := p.b
	if b[i] == '-' && (i+1 == len(b) || b[i+1] == ' ') {
		return i + 1
	}
	end := structuredData(b, i, &p.m.Structured)
	if end == 0 {
		p.m.Structured = nil
		return 0
	}
	p.span(i, end, SpanStructuredData)
	return end
}

// fields names the first four words of the header; "-" is none.
func (p *parser) fields(f []span) {
	kinds := [...]SpanKind{SpanHostname, SpanAppName, SpanProcID, SpanMsgID}
	to := [...]*string{&p.m.Hostname, &p.m.AppName, &p.m.ProcID, &p.m.MsgID}
	for i, s := range f {
		if string(p.b[s.at:s.end]) != "-" {
			*to[i] = p.span(s.at, s.end, kinds[i])
		}
	}
}

// malformed makes the best of a header that has a version and a time, but not
// all that RFC 5424 wants. i is behind the fields that were found.
func (p *parser) malformed(f []span, i int) {
	b := p.b
	p.m.Frame = FrameRFC5424Malformed
	nils := 0
	for _, s := range f[min(1, len(f)):] {
		if string(b[s.at:s.end]) == "-" {
			nils++
		}
	}
	broken := len(f) == 4 && i+1 < len(b) && b[i+1] == '['
	if broken || nils >= 2 {
		// The fields are in their places; what should be structured data is not.
		p.fields(f)
		if broken {
			p.note("structured data is broken")
		}
		p.text = skipSpaces(b, i)
		return
	}
	// As RFC 3164: a host and a tag, or only a tag.
	p.hostAndTag(p.h.stampEnd)
}
