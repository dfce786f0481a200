package syslog

// Message is all that can be said of a message. Strings are parts of it and may
// hold bytes that are not UTF-8. A field that is not there is empty.
type Message struct {
	// Scan is what the relay makes of the message.
	Scan Scan

	Facility, Severity int // valid if Scan.HasPRI

	// Timestamp is the time as the message bears it, in RFC 3339 with as many
	// digits of the fraction as were sent. The relay may not believe it
	// (Scan.Skewed).
	Timestamp string
	// TimestampSource is where Timestamp is from; Received if it is empty.
	TimestampSource TimeSource
	// TimestampZoneKnown says that the message tells the zone itself, by an
	// offset, Z, UTC or GMT.
	TimestampZoneKnown bool

	Hostname   string
	HostInBody bool // Hostname is from the text, because the header has none
	AppName    string
	ProcID     string
	MsgID      string
	Structured []Element
	Text       string // MSG, without a byte order mark, CR, LF and NUL at its end
	Frame      Frame  // as Scan.Frame, or malformed on a closer look
	Format     string // rfc5424, rfc3164, none, cef, leef, json or gelf
	Payload    string // cef, leef, json or ""
	Notes      []string
	Spans      []Span // what each byte was taken as, in order, without overlap
	// InText are the parts of the text that time and host were taken from, if
	// the header has none.
	InText []Span
}

// Span is a part of a message, bytes Start to before End, and what it is.
type Span struct {
	Start, End int
	As         SpanKind
}

// SpanKind names a part of a message.
type SpanKind string

// What bytes can be taken as. What is in no span is filling.
const (
	SpanPRI            SpanKind = "pri"
	SpanVersion        SpanKind = "version"
	SpanTimestamp      SpanKind = "timestamp"
	SpanHostname       SpanKind = "hostname"
	SpanAppName        SpanKind = "appname"
	SpanProcID         SpanKind = "procid"
	SpanMsgID          SpanKind = "msgid"
	SpanStructuredData SpanKind = "structured_data"
	SpanMessage        SpanKind = "message"
)

// StructuredData returns the elements as an object of objects, as explain shows
// them: a parameter that comes once is a string, one that comes several times a
// list of strings. Of elements with the same id, which RFC 5424 forbids, the
// last one counts.
func (m *Message) StructuredData() map[string]map[string]any {
	all := make(map[string]map[string]any, len(m.Structured))
	for _, e := range m.Structured {
		params := make(map[string]any, len(e.Params))
		for _, p := range e.Params {
			switch before := params[p.Name].(type) {
			case nil:
				params[p.Name] = p.Value
			case string:
				params[p.Name] = []string{before, p.Value}
			case []string:
				params[p.Name] = append(before, p.Value)
			}
		}
		all[e.ID] = params
	}
	return all
}
