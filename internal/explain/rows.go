package explain

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kinesyslog/internal/syslog"
)

// shownText is how many bytes of a message are shown behind its header.
const shownText = 1000

// rows writes the message, wrapped, and below each row what its bytes are.
func (o *page) rows(x *Explanation) {
	end := shownText
	for _, s := range slices.Concat(x.Message.Spans, x.Message.InText) {
		if s.As != syslog.SpanMessage {
			end = max(end, s.End+shownText)
		}
	}
	text := x.Text[:min(len(x.Text), end)]
	if len(text) == 0 {
		o.line(' ', "", dim, "", "an empty message")
		return
	}
	row := row{page: o}
	for i := 0; i < len(text); {
		n := runeLength(text[i:])
		kind := kindAt(&x.Message, i)
		shown := printable(text[i : i+n])
		if row.columns+columns(shown) > o.printer.width() {
			row.flush()
		}
		row.add(kind, shown)
		i += n
	}
	row.flush()
	if rest := len(x.Text) - len(text); rest > 0 {
		o.line(' ', "", dim, "", fmt.Sprintf("and %d bytes more", rest))
	}
}

// row is one line of the message with its marks.
type row struct {
	page    *page
	columns int
	pieces  []piece
}

// piece is a run of bytes of one kind, an index into kinds, or -1.
type piece struct {
	kind  int
	shown string
}

func (r *row) add(kind int, shown string) {
	r.columns += columns(shown)
	if last := len(r.pieces) - 1; last >= 0 && r.pieces[last].kind == kind {
		r.pieces[last].shown += shown
		return
	}
	r.pieces = append(r.pieces, piece{kind, shown})
}

// flush writes the row, and its marks if it has any.
func (r *row) flush() {
	marked := slices.ContainsFunc(r.pieces, func(p piece) bool { return p.kind >= 0 })
	for _, p := range r.pieces {
		r.page.paint(color(p.kind), p.shown)
	}
	r.page.WriteByte('\n')
	if marked {
		last := len(r.pieces) - 1
		for r.pieces[last].kind < 0 {
			last--
		}
		for _, p := range r.pieces[:last+1] {
			letter := " "
			if p.kind >= 0 {
				letter = string(kinds[p.kind].letter)
			}
			r.page.paint(color(p.kind), strings.Repeat(letter, columns(p.shown)))
		}
		r.page.WriteByte('\n')
	}
	r.pieces, r.columns = r.pieces[:0], 0
}

func color(kind int) string {
	if kind < 0 {
		return ""
	}
	return kinds[kind].color
}

// kindAt returns what the byte at i was taken as, or -1.
func kindAt(m *syslog.Message, i int) int {
	for _, spans := range [][]syslog.Span{m.InText, m.Spans} {
		for _, s := range spans {
			if s.Start <= i && i < s.End {
				return slices.IndexFunc(kinds[:], func(k kind) bool { return k.as == s.As })
			}
		}
	}
	return -1
}

// runeLength returns how many bytes of b are shown together.
func runeLength(b []byte) int {
	_, n := utf8.DecodeRune(b)
	return n
}

// columns counts one for each character.
func columns(s string) int { return utf8.RuneCountInString(s) }

// printable shows bytes so that none of them means anything to a terminal:
// control characters as \n or \x1b, other characters that do not print as
// \u202e, bytes that are not UTF-8 as \xff.
func printable(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7F:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case !unicode.IsPrint(r) && r > 0xFFFF:
			fmt.Fprintf(&out, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
		b = b[n:]
	}
	return out.String()
}

// shorten cuts a text that is longer than so many columns.
func shorten(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	runes := []rune(s)
	return string(runes[:max(width-1, 1)]) + "\u2026"
}
