package syslog

import "bytes"

// jsonTimeKeys are the names a JSON line may give its time, in any case.
var jsonTimeKeys = [...]string{
	"@timestamp", "timestamp", "time", "ts", "datetime", "eventtime", "event_time", "logtimestamp", "log_timestamp",
}

// jsonTime finds the first member of the JSON object at b[at] that is named as
// a time and is one. Only members of the object itself count, not of objects
// within it. The text need not be sound JSON behind that.
func (h *header) jsonTime(b []byte, at int) bool {
	depth := 0
	for i := at; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return false
			}
		case '"':
			end := quoteEnd(b, i+1)
			v := jsonValue(b, end)
			if depth == 1 && v > 0 && isTimeKey(b[i+1:end]) && h.jsonStamp(b, v) {
				return true
			}
			i = end
			if v > 0 && v < len(b) && b[v] == '"' {
				i = quoteEnd(b, v+1)
			}
		}
	}
	return false
}

// jsonValue returns where the value is that belongs to the key whose closing
// quote is b[i], or 0 if that was no key.
func jsonValue(b []byte, i int) int {
	i++
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	if i >= len(b) || b[i] != ':' {
		return 0
	}
	i++
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isTimeKey(key []byte) bool {
	for _, k := range jsonTimeKeys {
		if len(k) == len(key) && bytes.EqualFold([]byte(k), key) {
			return true
		}
	}
	return false
}

// jsonStamp reads the string or number at b[v] as a time.
func (h *header) jsonStamp(b []byte, v int) bool {
	if v >= len(b) {
		return false
	}
	if b[v] == '"' {
		return h.bodyStamp(b, v+1, quoteEnd(b, v+1))
	}
	e := v
	for e < len(b) && (isDigit(b[e]) || b[e] == '.') {
		e++
	}
	return e > v && h.bodyStamp(b, v, e)
}
