package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"kinesyslog/internal/syslog"
)

// Printer tells a person what is made of a message:
//
//	<34>Feb 11 22:14:15 bastion sshd[4711]: Accepted publickey
//	pppp ttttttttttttttt hhhhhhh aaaa iiii
//
//	p  PRI        <34>  auth.crit
//	t  timestamp  2026-02-11T22:14:15Z  from the header, zone not told
//	…
//
// The letters below the message say what each byte was taken as. Colours say
// it again. Whatever a message holds, nothing of it gets to the terminal but
// printable characters.
type Printer struct {
	Color bool
	Width int // columns of the terminal; at least 40 are used
}

// kind is how a kind of part is shown.
type kind struct {
	as     syslog.SpanKind
	letter byte
	label  string
	color  string // of ECMA-48's SGR
}

// kinds are in the order of the table.
var kinds = [...]kind{
	{syslog.SpanPRI, 'p', "PRI", "35"},
	{syslog.SpanVersion, 'v', "version", "35"},
	{syslog.SpanTimestamp, 't', "timestamp", "32"},
	{syslog.SpanHostname, 'h', "host", "36"},
	{syslog.SpanAppName, 'a', "app", "33"},
	{syslog.SpanProcID, 'i', "process", "33"},
	{syslog.SpanMsgID, 'm', "message id", "34"},
	{syslog.SpanStructuredData, 's', "data", "34"},
}

const dim = "2"

var (
	facilities = [...]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert",
		"clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	severities = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
)

// Append appends the explanation, with a blank line at its end.
func (p *Printer) Append(dst []byte, x *Explanation) []byte {
	out := &page{printer: p}
	out.rows(x)
	out.WriteByte('\n')
	for i := range kinds {
		out.part(x, i)
	}
	m := &x.Message
	out.line(' ', "text", "", shorten(printable([]byte(m.Text)), p.width()-15), "")
	form := m.Frame.String()
	switch {
	case m.Format == "gelf":
		form += ", the text is GELF"
	case m.Payload != "":
		form += ", the text is " + m.Payload
	}
	out.line(' ', "form", "", form, "")
	for _, n := range m.Notes {
		out.line(' ', "note", dim, printable([]byte(n)), "")
	}
	out.delivery(x)
	out.WriteByte('\n')
	return append(dst, out.Bytes()...)
}

func (p *Printer) width() int { return max(p.Width, 40) }

// page is an explanation that is being written.
type page struct {
	bytes.Buffer
	printer *Printer
}

// paint writes a text in a colour, if colours are asked for.
func (o *page) paint(color, text string) {
	if color == "" || !o.printer.Color || text == "" {
		o.WriteString(text)
		return
	}
	fmt.Fprintf(o, "\x1b[%sm%s\x1b[0m", color, text)
}

// line writes a line of the table.
func (o *page) line(letter byte, label, color, value, why string) {
	o.paint(color, fmt.Sprintf("%c  %-10s", letter, label))
	o.WriteString("  ")
	o.paint(color, value)
	if why != "" {
		if value != "" {
			o.WriteString("  ")
		}
		o.paint(dim, why)
	}
	o.WriteByte('\n')
}

// part writes what was taken as one kind of part, if there is any.
func (o *page) part(x *Explanation, kind int) {
	k, m := &kinds[kind], &x.Message
	at, end := find(slices.Concat(m.InText, m.Spans), k.as)
	value, why := printable(x.Text[at:end]), ""
	switch k.as {
	case syslog.SpanPRI:
		if value != "" {
			why = facilities[m.Facility] + "." + severities[m.Severity]
		}
	case syslog.SpanTimestamp:
		value, why = m.Timestamp, timeReason(m)
	case syslog.SpanHostname:
		value = printable([]byte(m.Hostname))
		if m.HostInBody {
			why = "from the text"
		} else if value == "" {
			why = "none"
		}
	case syslog.SpanStructuredData:
		value = structured(m.Structured)
	}
	letter := k.letter
	if end == at {
		letter = ' ' // it is marked nowhere
	}
	if value != "" || why != "" {
		o.line(letter, k.label, k.color, value, why)
	}
}

func timeReason(m *syslog.Message) string {
	switch {
	case m.TimestampSource == syslog.Received:
		return "none"
	case m.TimestampZoneKnown:
		return "from the " + place(m.TimestampSource)
	}
	return "from the " + place(m.TimestampSource) + ", which does not tell the zone"
}

func place(s syslog.TimeSource) string {
	if s == syslog.Body {
		return "text"
	}
	return s.String()
}

// structured writes elements with their values as they are meant.
func structured(elements []syslog.Element) string {
	var parts []string
	for _, e := range elements {
		part := "[" + e.ID
		for _, p := range e.Params {
			part += fmt.Sprintf(" %s=%q", p.Name, p.Value)
		}
		parts = append(parts, part+"]")
	}
	return printable([]byte(strings.Join(parts, "")))
}

// delivery writes what the relay makes of it.
func (o *page) delivery(x *Explanation) {
	of := func(micros int64) string { return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000Z") }
	why := "the message's own time"
	if x.Message.Scan.TimeSource == syslog.Received && (x.Source.Format != "gelf" || x.Event == x.Received) {
		why = "the time of receipt"
	}
	o.line('=', "event", "", of(x.Event), why)
	o.line(' ', "in", "", x.Group, "log stream "+x.Stream)
	because := "no PRI"
	if x.Message.Scan.HasPRI {
		because = "no host, and the log stream does not name the sender"
	}
	if x.Header == nil {
		o.line(' ', "as", "", "it came", "no header is put in front")
	} else {
		o.line(' ', "as", "", strings.TrimSuffix(string(x.Header), " "), "is put in front of it, because it has "+because)
	}
	if len(x.Reasons) > 0 {
		o.line(' ', "counted", "", strings.Join(x.Reasons, ", "), "")
	}
}

func find(spans []syslog.Span, as syslog.SpanKind) (at, end int) {
	for _, s := range spans {
		if s.As == as {
			return s.Start, s.End
		}
	}
	return 0, 0
}
