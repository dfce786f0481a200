package cwl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// expected is the text that a reader of the JSON must get: text with every
// byte that is not UTF-8 as \xNN.
func expected(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

// checkText compares AppendText to encoding/json and the rules for the raw form.
func checkText(t *testing.T, text []byte) {
	t.Helper()
	got := AppendText([]byte(`"`), text)
	inside := got[1:]
	got = append(got, '"')
	var decoded string
	if err := json.Unmarshal(got, &decoded); err != nil {
		t.Fatalf("%q became %s: %v", text, got, err)
	}
	if want := expected(text); decoded != want {
		t.Fatalf("%q reads back as %q, want %q", text, decoded, want)
	}
	if !utf8.Valid(got) {
		t.Fatalf("%q became invalid UTF-8: %q", text, got)
	}
	if bytes.ContainsFunc(got, func(r rune) bool { return r < 0x20 }) {
		t.Fatalf("%q became JSON with raw control characters: %q", text, got)
	}
	if len(inside) < len(text) || len(inside) > 6*len(text) {
		t.Fatalf("%d bytes became %d, want as many to six times as many", len(text), len(inside))
	}
}

// The right column is what Python 3 prints for
// left.decode('utf-8', 'backslashreplace').
func TestBytesThatAreNotUTF8AreWrittenAsPythonDoes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"plain", "plain"},
		{"\xff", "\\xff"},
		{"a\x80b", "a\\x80b"},
		{"\xc3\xa4\xc3\xb6", "\u00e4\u00f6"},
		{"\xc3", "\\xc3"},
		{"\xc3(", "\\xc3("},
		{"\xc3\xc3\xa4", "\\xc3\u00e4"},
		{"\xe2\x82\xac", "\u20ac"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xe2\x82A", "\\xe2\\x82A"},
		{"\xe2(\xa1", "\\xe2(\\xa1"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},
		{"\xed\x9f\xbf", "\ud7ff"},
		{"\xc0\x80", "\\xc0\\x80"},
		{"\xc1\xbf", "\\xc1\\xbf"},
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
		{"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
		{"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
		{"\xf0\x9f\x98\x80", "\U0001f600"},
		{"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
		{"\xf0\x9f\xe2\x82\xac", "\\xf0\\x9f\u20ac"},
		{"\xf4\x8f\xbf\xbf", "\U0010ffff"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
		{"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
		{"\xfe\xff", "\\xfe\\xff"},
		{"\xef\xbb\xbfhi", "\ufeffhi"},
		{"\xef\xbf\xbd", "\ufffd"},
		{"\xe2\x80\xa8", "\u2028"},
		{"gr\xfc\xdfe", "gr\\xfc\\xdfe"},
	}
	for _, test := range tests {
		var got string
		raw := append(AppendText([]byte(`"`), []byte(test.text)), '"')
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Errorf("%q became %s: %v", test.text, raw, err)
		} else if got != test.want {
			t.Errorf("%q reads back as %q, want %q", test.text, got, test.want)
		}
	}
}

func TestEscapesAreTheShortOnesAndLowerCase(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{`say "no" to \`, `say \"no\" to \\`},
		{"\b\f\n\r\t", `\b\f\n\r\t`},
		{"\x00\x1b[0m\x1f", `\u0000\u001b[0m\u001f`},
		{"\x7f</script>&'/", "\x7f</script>&'/"},
		{"\xab\xcd", `\\xab\\xcd`},
		{"\u2028\u00e9", "\u2028\u00e9"},
	}
	for _, test := range tests {
		if got := string(AppendText(nil, []byte(test.text))); got != test.want {
			t.Errorf("%q became %s, want %s", test.text, got, test.want)
		}
	}
}

// Every byte at every place of texts that end at, before and after the
// boundaries of words and of four words.
func TestEveryByteIsSeenAtEveryPlace(t *testing.T) {
	for _, size := range []int{1, 7, 8, 9, 31, 32, 33, 45} {
		for place := range size {
			for c := range 256 {
				text := bytes.Repeat([]byte("!"), size)
				text[place] = byte(c)
				checkText(t, text)
			}
		}
	}
}

func FuzzAppendText(f *testing.F) {
	f.Add([]byte("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for \"lonvick\" on /dev/pts/8"))
	f.Add([]byte("\xef\xbb\xbfan \\ and \x00 and \xed\xa0\x80 and \u00e4\u20ac\U0001f600"))
	f.Add(bytes.Repeat([]byte("\xf0\x9f\x98"), 20))
	f.Fuzz(func(t *testing.T, text []byte) { checkText(t, text) })
}
