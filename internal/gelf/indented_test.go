package gelf

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const indented = "{\n  \"version\": \"1.1\",\r\n\t\"host\": \"a\\\\\",\n  \"short_message\": \"}\\\"\",\n  \"_x\": [1, {\"y\": null}]\n}"

func TestAnIndentedObjectIsFollowedToItsEnd(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		end      int
		want     Progress
	}{
		{"whole", indented, len(indented), Closed},
		{"whole, more follows", indented + "\x00<13>x", len(indented), Closed},
		{"white space behind the brace", "{ \t\r" + indented[1:], len(indented) + 3, Closed},
		{"not all there", indented[:len(indented)-1], 0, Open},
		{"brace alone", "{", 0, Open},
		{"brace on its line", "{\r\n", 0, Open},
		{"on one line", plain, 0, Other},
		{"first member behind the brace", "{ \"host\": \"a\",\n\"short_message\": \"b\"\n}", 0, Other},
		{"no GELF", "{\n\"a\": 1\n}", 0, Broken},
		{"empty", "{\n}", 0, Broken},
		{"a message behind a brace", "{\n<13>x", 0, Broken},
		{"NUL", "{\n\x00", 0, Broken},
		{"text", "{\nserver example.org;\n}", 0, Broken},
		{"line feed in a string", "{\n\"host\": \"a\n", 0, Broken},
		{"no object", "<13>{\n", 0, Other},
	} {
		var o Indented
		if end, p := o.Follow([]byte(tc.in)); end != tc.end || p != tc.want {
			t.Errorf("%s: %d, %d; want %d, %d", tc.name, end, p, tc.end, tc.want)
		}
	}
}

func FuzzIndented(f *testing.F) {
	f.Add([]byte(indented))
	f.Add([]byte("{\n" + strings.Repeat("[", 30)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole Indented
		end, p := whole.Follow(b)
		var parts Indented
		for i := range len(b) + 1 {
			gotEnd, got := parts.Follow(b[:i])
			if got == Open && i < len(b) {
				continue
			}
			if got != p || gotEnd != end {
				t.Fatalf("after %d bytes %d, %d; in one piece %d, %d", i, gotEnd, got, end, p)
			}
			break
		}
		// Whatever encoding/json takes for an object that is GELF and begins so is found.
		first, rest, _ := bytes.Cut(b, []byte("\n"))
		var object map[string]any
		if json.Unmarshal(b, &object) == nil && string(bytes.TrimRight(first, " \t\r")) == "{" && looks(b) == JSON {
			if p != Closed || len(bytes.TrimSpace(b[end:])) > 0 {
				t.Fatalf("%d, %d for %q and %q", end, p, first, rest)
			}
		}
	})
}
