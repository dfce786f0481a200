package gelf

// Fields is what the relay wants to know about a message.
type Fields struct {
	// Time is the message's own time in microseconds since 1970, if HasTime.
	// It may be far from the time of receipt, which is not known here.
	Time    int64
	HasTime bool
	// Host is the value of "host" as it stands in the text, without its quotes;
	// nil if there is none, or it is no string. With HostEscaped it contains
	// escapes: see AppendUnquoted. It aliases the text.
	Host        []byte
	HostEscaped bool
	// ShortMessage and Version tell whether there are such keys.
	ShortMessage bool
	Version      bool
	// Whole tells that the object is closed and nothing but white space
	// follows. It is not a full check of JSON.
	Whole bool
}

// Scan goes through the outermost object of a JSON text once and allocates
// nothing. Keys inside of other values do not count; of keys that occur twice
// the last counts, as for encoding/json. Of a text that is cut off, Fields holds
// what stands before the cut.
//
// "timestamp" is seconds since 1970: a number, also with an exponent, or a
// string that holds one, or an RFC 3339 time. Numbers above 1e11 are taken as
// milliseconds, above 1e14 as microseconds, above 1e17 as nanoseconds. Time is
// cut to microseconds. Zero, negative and still larger numbers are no time.
func Scan(b []byte) Fields {
	var f Fields
	s := newScanner(b)
	for m, ok := s.next(); ok; m, ok = s.next() {
		switch m.key {
		case keyTimestamp:
			f.Time, f.HasTime = timestamp(m)
		case keyHost:
			f.Host, f.HostEscaped = nil, false
			if m.kind == stringValue {
				f.Host, f.HostEscaped = m.raw, m.escaped
			}
		case keyShortMessage:
			f.ShortMessage = true
		case keyVersion:
			f.Version = true
		}
	}
	f.Whole = s.whole
	return f
}
