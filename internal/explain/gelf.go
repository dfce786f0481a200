package explain

import (
	"time"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// readGELF says what is to be said of a GELF message. The relay reads nothing
// of it but the time.
func readGELF(text []byte, why batch.Reasons) syslog.Message {
	m := syslog.Message{
		Format: "gelf", Payload: "json", Text: string(text),
		Spans: []syslog.Span{{End: len(text), As: syslog.SpanMessage}},
	}
	note := func(text string) { m.Notes = append(m.Notes, text) }
	note("GELF: its own keys tell time and host, and no header is put in front")
	f := gelf.Scan(text)
	if f.HasTime {
		m.Timestamp = time.UnixMicro(f.Time).UTC().Format("2006-01-02T15:04:05.999999Z")
		m.TimestampSource, m.TimestampZoneKnown = syslog.Body, true
	} else {
		note("no timestamp: the time of receipt stands")
	}
	if why&batch.SkewedTime != 0 {
		note("the time is too far from receipt to be believed: the time of receipt stands")
	}
	if len(f.Host) > 0 {
		m.Hostname, m.HostInBody = string(f.Host), true
		if f.HostEscaped {
			m.Hostname = string(gelf.AppendUnquoted(nil, f.Host))
		}
	}
	if !f.ShortMessage {
		note("no short_message, which GELF demands")
	}
	if !f.Whole {
		note("the JSON is cut off, or none: what stands before counts")
	}
	return m
}
