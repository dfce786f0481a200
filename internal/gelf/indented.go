package gelf

// Indented follows a GELF object that is written over several lines, in a
// stream where else every line is a message. It is strict: what cannot be JSON
// is told as soon as it comes, so that lines are not held back for long. The
// zero value is ready; one per object, not for concurrent use.
type Indented struct {
	pos      int // so much was looked at
	depth    int
	inString bool
	escape   bool
}

// Progress is what Follow found.
type Progress uint8

// What Follow found.
const (
	Open   Progress = iota // it goes on after the bytes that are there
	Closed                 // it is whole
	Other                  // it is something else: there is no brace alone on the first line
	Broken                 // there is, but what follows is no GELF object
)

// Follow looks at the start of a stream, and goes on where it stopped the last
// time: b is what it was then, with more appended. end is the length of an
// object that is Closed.
func (o *Indented) Follow(b []byte) (end int, p Progress) {
	for ; o.pos < len(b); o.pos++ {
		c := b[o.pos]
		switch {
		case o.inString:
			if c < ' ' {
				return 0, Broken
			}
			o.inString = o.escape || c != '"'
			o.escape = !o.escape && c == '\\'
		case c == '\n' && o.depth == 1:
			o.depth = 2 // that of the members, as the brace is alone on its line
		case isSpace(c):
		case o.depth == 0 && c == '{':
			o.depth = 1
		case o.depth < 2:
			return 0, Other
		case !outsideStrings[c]:
			return 0, Broken
		case c == '"':
			o.inString = true
		case c == '{' || c == '[':
			o.depth++
		case c == '}' || c == ']':
			if o.depth--; o.depth == 1 {
				end = o.pos + 1
				if looks(b[:end]) != JSON {
					return 0, Broken
				}
				return end, Closed
			}
		}
	}
	return 0, Open
}

// outsideStrings has the bytes that JSON is made of outside of its strings,
// white space apart.
var outsideStrings = func() (t [256]bool) {
	for _, c := range []byte(`{}[]",:+-.0123456789Eaeflnrstu`) {
		t[c] = true
	}
	return t
}()
