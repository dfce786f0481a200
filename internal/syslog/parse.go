package syslog

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Parse says all that can be said of a message that was received at the given
// time (microseconds since 1970). It never fails, agrees with Scan about the
// time, and allocates: it is for explain, not for the relay's path.
func (s *Scanner) Parse(msg []byte, received int64) Message {
	p := parser{b: TrimDatagram(msg)}
	p.h.read(p.b)
	p.m.Scan = Scan{HasPRI: p.h.pri >= 0, Time: received, Frame: p.h.frame}
	p.m.Frame = p.h.frame
	p.pri()
	if p.h.versionEnd > p.h.versionAt {
		p.span(p.h.versionAt, p.h.versionEnd, SpanVersion)
	}
	if p.h.frame == FrameRFC5424 || p.h.frame == FrameRFC5424Malformed {
		p.rfc5424()
	} else {
		p.rfc3164()
	}
	p.time(s, received)
	p.payload()
	slices.SortFunc(p.m.Spans, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return p.m
}

// parser is the state of Parse.
type parser struct {
	b []byte
	h header
	m Message
	// text is where the text begins: behind the tag or the structured data.
	text int
}

func (p *parser) span(at, end int, as SpanKind) string {
	p.m.Spans = append(p.m.Spans, Span{Start: at, End: end, As: as})
	return string(p.b[at:end])
}

func (p *parser) note(format string, args ...any) {
	p.m.Notes = append(p.m.Notes, fmt.Sprintf(format, args...))
}

func (p *parser) pri() {
	h := &p.h
	switch {
	case h.badPRI:
		p.note("PRI %s is no number up to 191 and does not count", p.b[h.priAt:h.priEnd])
	case h.pri < 0:
		p.note("no PRI")
	default:
		p.m.Scan.PRI, p.m.Facility, p.m.Severity = h.pri, h.pri/8, h.pri%8
		p.span(h.priAt, h.priEnd, SpanPRI)
	}
	if h.secondPRI {
		p.note("a second PRI follows the first, which counts")
	}
	if h.sequence {
		p.note("a sequence number stands before the time")
	}
}

// time finds the time and says what there is to say about it.
func (p *parser) time(s *Scanner, received int64) {
	h, t := &p.h, &p.h.stamp
	if h.uptime {
		p.note("the sender tells the time since its start, its clock was never set")
	}
	if h.badTime {
		p.note("what stands in the place of the time is none")
	}
	source := h.timeSource(p.b)
	p.m.Scan.Flaws = h.flaws(source)
	if source == Received {
		p.note("no time: the time of receipt stands")
		return
	}
	at := s.clock.instant(t, s.location(), received)
	p.m.TimestampSource, p.m.TimestampZoneKnown = source, t.zone == zoneKnown
	p.m.Timestamp = t.text(p.b, at, s.location())
	if source == Header {
		p.span(h.stampAt, h.stampEnd, SpanTimestamp)
	} else {
		p.note("the time is from the text, %q", p.b[h.stampAt:h.stampEnd])
		p.m.InText = append(p.m.InText, Span{h.stampAt, h.stampEnd, SpanTimestamp})
	}
	if s.Skewed(at, received) {
		p.m.Scan.Skewed = true
		p.note("the time is too far from receipt to be believed: the time of receipt stands")
	} else {
		p.m.Scan.Time, p.m.Scan.TimeSource = at, source
	}
	p.timeNotes(s, at)
}

func (p *parser) timeNotes(s *Scanner, at int64) {
	h, t := &p.h, &p.h.stamp
	if t.epoch {
		return
	}
	if h.mark != 0 {
		p.note("%q before the time: the sender's clock is not synchronised", h.mark)
	}
	if t.year == 0 {
		p.note("no year: taken as the one nearest to receipt")
	}
	if t.either {
		p.note("day and month could be the other way round: taken as nearest to receipt")
	}
	switch t.zone {
	case zoneUnsaid:
		p.note("no zone: taken as %s", s.location())
	case zoneWord:
		p.note("zone %s is not known or stands for several: taken as %s", p.b[t.wordAt:t.wordEnd], s.location())
	case zoneUsual:
		p.note("zone %s taken as its usual offset", p.b[t.wordAt:t.wordEnd])
	case zoneKnown:
	}
	if t.second == 60 {
		p.note("second 60: taken as the second that follows")
	}
	if t.hour == 24 {
		p.note("24:00:00: taken as the next midnight")
	}
	if t.zone != zoneKnown && t.zone != zoneUsual {
		local := time.UnixMicro(at).In(s.location())
		if int(t.hour)%24 != local.Hour() || t.second < 60 && int(t.minute) != local.Minute() {
			p.note("there is no such time in %s, clocks are put forward then: moved by the gap", s.location())
		}
	}
}

// text returns a time as RFC 3339, by the clock of the zone it was read in.
func (t *stamp) text(b []byte, at int64, loc *time.Location) string {
	instant := time.UnixMicro(at).In(loc)
	if t.zone == zoneKnown || t.zone == zoneUsual {
		instant = instant.In(time.FixedZone("", int(t.offset)))
	}
	text := instant.Format("2006-01-02T15:04:05")
	if t.fracEnd > t.fracAt {
		text += "." + string(b[t.fracAt:t.fracEnd])
	}
	return text + instant.Format("Z07:00")
}

// payload says what format the text has, and looks there for a host if the
// header has none.
func (p *parser) payload() {
	m := &p.m
	m.Text = string(bytes.TrimPrefix(p.b[p.text:], []byte("\xef\xbb\xbf")))
	p.span(p.text, len(p.b), SpanMessage)
	m.Format = m.Frame.String()
	if m.Frame == FrameRFC5424Malformed {
		m.Format = FrameRFC5424.String()
		p.note("RFC 5424 by its version, but not by its form")
	}
	kind, at := findPayload(p.b, p.text)
	m.Payload = kind.String()
	switch kind {
	case payloadCEF, payloadLEEF:
		m.Format = kind.String()
	case payloadJSON:
		if p.isGELF(at) {
			m.Format = "gelf"
		} else if m.Frame == FrameNone {
			m.Format = kind.String()
		}
	}
	if m.Hostname == "" {
		p.bodyHost(kind, at)
	}
}

// isGELF tells whether the JSON at b[at] has the two members GELF 1.1 demands
// besides the host.
func (p *parser) isGELF(at int) bool {
	return bytes.Contains(p.b[at:], []byte(`"short_message"`)) && bytes.Contains(p.b[at:], []byte(`"version"`))
}

// bodyHost takes the device's name from the text.
func (p *parser) bodyHost(kind payload, at int) {
	var i, e int
	switch kind {
	case payloadCEF:
		i, e = cefValue(p.b, cefExtension(p.b, at), "dvchost=")
	case payloadLEEF:
		i, e = readLEEF(p.b, at).value("dvchost=")
	case payloadNone:
		// Only if the time is from there too: else the text is no device's
		// header, and its keys may mean anything.
		if d, ok := readDeviceHeader(p.b, p.text, false); ok && p.m.TimestampSource == Body {
			i, e = d.hostAt, d.hostEnd
		}
	case payloadJSON:
	}
	if e > i {
		p.m.Hostname, p.m.HostInBody = unescapeExtension(p.b[i:e]), true
		p.note("the host is from the text")
		p.m.InText = append(p.m.InText, Span{i, e, SpanHostname})
	}
}
