package archive

import (
	"fmt"
	"strconv"

	"kinesyslog/internal/cwl"
)

// Event is one log event together with what its document says of all its
// events.
type Event struct {
	ID        string
	Timestamp int64 // milliseconds since 1970, UTC
	Message   string
	LogGroup  string
	LogStream string
	Owner     string
}

// AppendJSON appends e as one JSON object on one line, without a line feed,
// with the keys id, timestamp, message, logGroup, logStream and owner in this
// order.
func AppendJSON(dst []byte, e Event) []byte {
	dst = appendString(append(dst, `{"id":`...), e.ID)
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, e.Timestamp, 10)
	dst = appendString(append(dst, `,"message":`...), e.Message)
	dst = appendString(append(dst, `,"logGroup":`...), e.LogGroup)
	dst = appendString(append(dst, `,"logStream":`...), e.LogStream)
	dst = appendString(append(dst, `,"owner":`...), e.Owner)
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	return append(cwl.AppendText(append(dst, '"'), []byte(s)), '"')
}

// DamageError says that an object has something at Offset that cannot be read,
// or is no CloudWatch Logs document. What follows it is read all the same.
type DamageError struct {
	Path   string
	Offset int64 // in bytes, in the object as it is stored
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s: damage at byte %d: %v", e.Path, e.Offset, e.Err)
}

// Unwrap returns what is wrong there.
func (e *DamageError) Unwrap() error { return e.Err }
