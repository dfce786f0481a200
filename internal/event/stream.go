package event

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxStream is how many characters CloudWatch Logs allows for a log stream.
const maxStream = 512

// SafeStream makes a log stream's name of one that a sender has chosen: colons,
// asterisks, control characters and what is not UTF-8 become '_', and what is
// beyond 512 characters is left out. An empty name stays empty.
func SafeStream(name string) string {
	if safeAsItIs(name) {
		return name
	}
	var b strings.Builder
	n := 0
	for i, c := range name {
		if n++; n > maxStream {
			break
		}
		if c == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(name[i:]); width == 1 {
				c = '_'
			}
		}
		if c == ':' || c == '*' || unicode.IsControl(c) {
			c = '_'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func safeAsItIs(name string) bool {
	if len(name) > maxStream {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' || c == '*' {
			return false
		}
	}
	return true
}
