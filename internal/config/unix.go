package config

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
)

// UnixSocket is one that is listened on.
type UnixSocket struct {
	Path   string
	Stream bool // else it takes datagrams, as /dev/log does
}

// unixSockets takes paths, with the kind of socket in front if it matters.
func unixSockets(to *[]UnixSocket) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			s := UnixSocket{Path: strings.TrimPrefix(v, "dgram:")}
			if path, ok := strings.CutPrefix(v, "stream:"); ok {
				s = UnixSocket{Path: path, Stream: true}
			}
			if s.Path == "" || strings.ContainsFunc(s.Path, unicode.IsControl) {
				return fmt.Errorf("%q is not a socket: give its path, like /run/kinesyslog/log or stream:/run/kinesyslog/log", v)
			}
			for _, other := range *to {
				if other.Path == s.Path {
					return fmt.Errorf("%s is given twice: take one away", s.Path)
				}
			}
			*to = append(*to, s)
		}
		return nil
	}
}

// mode takes permissions as chmod does.
func mode(to *fs.FileMode) func([]string) error {
	return one(func(v string) error {
		n, err := strconv.ParseUint(v, 8, 32)
		if err != nil || n == 0 || n > 0o777 {
			return fmt.Errorf("%q is not a mode: give it in octal, like 0660", v)
		}
		*to = fs.FileMode(n)
		return nil
	})
}
