package archive

import (
	"cmp"
	"context"
	"io"
	"path"
	"strings"
	"time"
)

// object is one file, S3 object or stream.
type object struct {
	path     string
	at       time.Time // what it is sorted by
	modified time.Time
	open     func(context.Context) (io.ReadCloser, error)
}

// compare orders objects by time. Firehose's names know seconds only: within
// one the time of modification decides, then the name.
func (o object) compare(other object) int {
	return cmp.Or(o.at.Compare(other.at), o.modified.Compare(other.modified), cmp.Compare(o.path, other.path))
}

// sortTime returns the time in an object's name, or else modified.
func sortTime(name string, modified time.Time) time.Time {
	// The extension is configurable and may have several parts, and the name
	// of a stream may have dots too.
	for name != "" {
		if at, ok := firehoseTime(name); ok {
			return at
		}
		extension := path.Ext(name)
		if extension == "" {
			break
		}
		name = strings.TrimSuffix(name, extension)
	}
	return modified
}

// firehoseTime returns the time in STREAM-VERSION-YYYY-MM-DD-HH-MM-SS-UUID, which
// is UTC.
func firehoseTime(name string) (at time.Time, ok bool) {
	const layout, uuid = "2006-01-02-15-04-05", "01234567-89ab-cdef-0123-456789abcdef"
	start := len(name) - len("-"+layout+"-"+uuid)
	if start < 0 {
		return time.Time{}, false
	}
	rest := name[start:]
	for i, c := range "-" + layout + "-" + uuid {
		if c == '-' && rest[i] != '-' {
			return time.Time{}, false
		}
	}
	at, err := time.Parse(layout, rest[1:1+len(layout)])
	return at, err == nil
}

// ignored tells whether a name in a directory is hidden or that of a file that
// is still being written.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".part")
}
