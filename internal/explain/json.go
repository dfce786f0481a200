package explain

import (
	"maps"
	"slices"
	"strconv"

	"kinesyslog/internal/cwl"
)

// AppendJSON appends an object on one line, without a line feed. Its keys are
// always the same and in the same order. Strings that are not there are null,
// and bytes that are not UTF-8 are written \xNN, as in a record.
func (x *Explanation) AppendJSON(dst []byte) []byte {
	m := &x.Message
	o := object{append(dst, '{')}
	if m.Scan.HasPRI {
		o.number("pri", m.Scan.PRI)
		o.number("facility", m.Facility)
		o.number("severity", m.Severity)
	} else {
		for _, key := range []string{"pri", "facility", "severity"} {
			o.null(key)
		}
	}
	o.text("timestamp", m.Timestamp)
	o.text("timestamp_source", m.TimestampSource.String())
	o.key("timestamp_zone_known")
	o.dst = strconv.AppendBool(o.dst, m.TimestampZoneKnown)
	o.text("hostname", m.Hostname)
	o.text("appname", m.AppName)
	o.text("procid", m.ProcID)
	o.text("msgid", m.MsgID)
	o.key("structured_data")
	o.structured(m.StructuredData())
	o.key("message")
	o.quote(m.Text)
	o.text("frame", m.Frame.String())
	o.text("format", m.Format)
	o.text("payload", m.Payload)
	o.key("notes")
	o.list(m.Notes)
	return append(o.dst, '}')
}

// object is JSON that is being written.
type object struct{ dst []byte }

// key begins a member; the value must follow.
func (o *object) key(name string) {
	if last := o.dst[len(o.dst)-1]; last != '{' {
		o.dst = append(o.dst, ',')
	}
	o.quote(name)
	o.dst = append(o.dst, ':')
}

func (o *object) quote(text string) {
	o.dst = append(o.dst, '"')
	o.dst = cwl.AppendText(o.dst, []byte(text))
	o.dst = append(o.dst, '"')
}

func (o *object) null(key string) {
	o.key(key)
	o.dst = append(o.dst, "null"...)
}

func (o *object) number(key string, n int) {
	o.key(key)
	o.dst = strconv.AppendInt(o.dst, int64(n), 10)
}

// text writes a string, or null if it is empty.
func (o *object) text(key, text string) {
	if text == "" {
		o.null(key)
		return
	}
	o.key(key)
	o.quote(text)
}

func (o *object) list(texts []string) {
	o.dst = append(o.dst, '[')
	for i, t := range texts {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.quote(t)
	}
	o.dst = append(o.dst, ']')
}

func (o *object) structured(elements map[string]map[string]any) {
	o.dst = append(o.dst, '{')
	for _, id := range slices.Sorted(maps.Keys(elements)) {
		o.key(id)
		o.dst = append(o.dst, '{')
		params := elements[id]
		for _, name := range slices.Sorted(maps.Keys(params)) {
			o.key(name)
			switch v := params[name].(type) {
			case string:
				o.quote(v)
			case []string:
				o.list(v)
			}
		}
		o.dst = append(o.dst, '}')
	}
	o.dst = append(o.dst, '}')
}
