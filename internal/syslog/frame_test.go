package syslog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frameAll feeds the segments to a Framer as a connection would, and fails if
// the Framer breaks its contract.
func frameAll(t testing.TB, limit int, segments []string, eof bool) (msgs []string, cuts int) {
	t.Helper()
	f := NewFramer(limit)
	var buf []byte
	drain := func(eof bool) {
		for {
			msg, used, cut, ok := f.Next(buf, eof)
			if used < 0 || used > len(buf) {
				t.Fatalf("Next used %d of %d bytes", used, len(buf))
			}
			if ok {
				if len(msg) == 0 || len(msg) > limit {
					t.Fatalf("message of %d bytes, the limit is %d", len(msg), limit)
				}
				if used == 0 {
					t.Fatal("a message without progress")
				}
				msgs = append(msgs, string(msg))
				if cut {
					cuts++
				}
			}
			buf = buf[used:]
			if !ok {
				break
			}
		}
		if len(buf) > limit+64 {
			t.Fatalf("%d bytes left over, more than %d are never needed", len(buf), limit+64)
		}
		if eof && len(buf) > 0 {
			t.Fatalf("%d bytes left over at the end: %q", len(buf), buf)
		}
	}
	for _, s := range segments {
		buf = append(slices.Clone(buf), s...)
		drain(false)
	}
	if eof {
		drain(true)
	}
	return msgs, cuts
}

func TestFramingsAreToldApartMessageByMessage(t *testing.T) {
	tests := []struct {
		name  string
		limit int
		in    []string
		open  bool // the connection stays open
		want  []string
		cuts  int
	}{
		{name: "lines", in: []string{"<1>a\n<2>b\r\n<3>c\n"}, want: []string{"<1>a", "<2>b", "<3>c"}},
		{name: "NUL", in: []string{"<1>a\x00<2>b\x00"}, want: []string{"<1>a", "<2>b"}},
		{name: "NUL and GELF", in: []string{"{\"a\":1}\x00{\"b\":2}\x00"}, want: []string{`{"a":1}`, `{"b":2}`}},
		{name: "NUL then line feed", in: []string{"<1>a\x00\n<2>b\n\x00<3>c\x00\r\n"}, want: []string{"<1>a", "<2>b", "<3>c"}},
		{name: "NUL is content", in: []string{"<1>a\x00b\n"}, want: []string{"<1>a\x00b"}},
		{name: "NUL at the end of what was read", in: []string{"<1>a\x00"}, open: true, want: []string{"<1>a"}},
		{name: "counted", in: []string{"4 <1>a5 <2>bb"}, open: true, want: []string{"<1>a", "<2>bb"}},
		{name: "counted and lines", in: []string{"4 <1>a<2>b\n4 <3>c\x004 <4>d"}, want: []string{"<1>a", "<2>b", "<3>c", "<4>d"}},
		{name: "line ending is counted", in: []string{"5 <1>a\n6 <2>b\r\n"}, want: []string{"<1>a", "<2>b"}},
		{name: "line ending is not counted", in: []string{"4 <1>a\n4 <2>b\r\n"}, want: []string{"<1>a", "<2>b"}},
		{name: "content of a frame", in: []string{"9 <1>a\n\x00<2>", "7 <1>a\nb\n\n"}, want: []string{"<1>a\n\x00<2>", "<1>a\nb\n"}},
		{name: "leading zero", in: []string{"04 <1>a4 <2>b"}, want: []string{"<1>a", "<2>b"}},
		{name: "count before byte order mark", in: []string{"7 \xef\xbb", "\xbf<1>a4 <2>b"}, want: []string{"\xef\xbb\xbf<1>a", "<2>b"}},
		{name: "count before GELF", in: []string{"2 {}2 {}"}, want: []string{"{}", "{}"}},
		{name: "number that is no count", in: []string{"2025-07-29 12:34:56 a\n1 2014 b\n12\n3 \n"}, want: []string{"2025-07-29 12:34:56 a", "1 2014 b", "12", "3 "}},
		{name: "number at the end", in: []string{"12"}, want: []string{"12"}},
		{name: "number and space at the end", in: []string{"12 "}, want: []string{"12 "}},
		{name: "undecided number", in: []string{"12", " "}, open: true},
		{name: "half a byte order mark at the end", in: []string{"12 \xef\xbb"}, want: []string{"12 \xef\xbb"}},
		{name: "zero", in: []string{"0 <1>a\n000 <2>b\n"}, want: []string{"<1>a", "<2>b"}},
		{name: "huge", in: []string{"67108865 <1>a\n4294967295 <2>b\n"}, want: []string{"<1>a", "<2>b"}},
		{name: "overflow", in: []string{strings.Repeat("9", maxCountDigits) + " <1>a\n<2>b\n"}, want: []string{"<1>a", "<2>b"}},
		{name: "number too long to be a count", in: []string{strings.Repeat("9", maxCountDigits+1) + " <1>\n"}, want: []string{strings.Repeat("9", maxCountDigits+1) + " <1>"}},
		{name: "negative", in: []string{"-4 <1>a\n<2>b\n"}, want: []string{"-4 <1>a", "<2>b"}},
		{name: "count too small", in: []string{"3 <1>abc\n4 <2>b"}, want: []string{"<1>", "abc", "<2>b"}},
		{name: "count too large", in: []string{"90 <1>abc\n"}, want: []string{"<1>abc"}},
		{name: "end inside a frame", in: []string{"90 <1>ab", "c"}, want: []string{"<1>abc"}},
		{name: "empty lines", in: []string{"\n\r\n\n<1>a\n\n\x00\r\n"}, want: []string{"<1>a"}},
		{name: "space after line feed", in: []string{"<1>a\n ", "<2>b\n c\n"}, want: []string{"<1>a", "<2>b", " c"}},
		{name: "last line without its ending", in: []string{"<1>a\n<2>b"}, want: []string{"<1>a", "<2>b"}},
		{name: "carriage return at the end", in: []string{"<1>a\r"}, want: []string{"<1>a"}},
		{name: "carriage return is content", in: []string{"<1>a\rb\n\r\r\n"}, want: []string{"<1>a\rb", "\r"}},
		{name: "incomplete line", in: []string{"<1>a\n<2>b"}, open: true, want: []string{"<1>a"}},
		{name: "as long as allowed", limit: 6, in: []string{"<1>abc\r\n6 <2>abc8 <3>abc\r\n<4>abc\x00<5>abc"}, want: []string{"<1>abc", "<2>abc", "<3>abc", "<4>abc", "<5>abc"}},
		{name: "line too long", limit: 6, in: []string{"<1>abcd\r\n<2>abcdefghijkl\r\n<3>\n"}, want: []string{"<1>abc", "<2>abc", "<3>"}, cuts: 2},
		{name: "line too long in pieces", limit: 6, in: []string{"<1>abcd", "ef", "gh", "\r", "\n<2>"}, want: []string{"<1>abc", "<2>"}, cuts: 1},
		{name: "NUL ends what is skipped", limit: 6, in: []string{"<1>abcdefgh", "ijk\x00<2>"}, want: []string{"<1>abc", "<2>"}, cuts: 1},
		{name: "frame too long", limit: 6, in: []string{"7 <1>abcd12 <2>abcdefg\nh4 <3>a"}, want: []string{"<1>abc", "<2>abc", "<3>a"}, cuts: 2},
		{name: "frame too long in pieces", limit: 6, in: []string{"12 <2>ab", "cde", "f", "g\n", "h4 <3>a"}, want: []string{"<2>abc", "<3>a"}, cuts: 1},
		{name: "end inside a frame that is too long", limit: 6, in: []string{"50 <2>abcdefgh"}, want: []string{"<2>abc"}, cuts: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.limit == 0 {
				tt.limit = 100
			}
			got, cuts := frameAll(t, tt.limit, tt.in, !tt.open)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			if cuts != tt.cuts {
				t.Errorf("%d messages cut, want %d", cuts, tt.cuts)
			}
		})
	}
}

func TestOverlongMessageIsCutAndTheRestOfTheFrameSkipped(t *testing.T) {
	const limit, long = 64 << 10, 10 << 20
	text := "<13>" + strings.Repeat("x", long-4)
	for name, in := range map[string]string{
		"counted": fmt.Sprintf("%d %s4 <1>a", long, text),
		"line":    text + "\n4 <1>a",
	} {
		t.Run(name, func(t *testing.T) {
			var segments []string
			for s := range slices.Chunk([]byte(in), 1000) {
				segments = append(segments, string(s))
			}
			got, cuts := frameAll(t, limit, segments, true)
			if d := cmp.Diff([]string{text[:limit], "<1>a"}, got); d != "" || cuts != 1 {
				t.Errorf("%d messages, %d cut, want 2 and 1", len(got), cuts)
			}
		})
	}
}

func TestLongLineInSingleBytesIsScannedOnce(t *testing.T) {
	// With a scan from the start for every byte these would be 2^41 steps.
	const limit = 2 << 20
	buf := append(bytes.Repeat([]byte{'a'}, limit), '\n')
	f := NewFramer(limit)
	for n := range len(buf) {
		if _, used, _, ok := f.Next(buf[:n], false); used != 0 || ok {
			t.Fatalf("with %d bytes: used %d, ok %v", n, used, ok)
		}
	}
	if msg, used, cut, ok := f.Next(buf, false); len(msg) != limit || used != len(buf) || cut || !ok {
		t.Errorf("whole line: %d bytes, used %d, cut %v, ok %v", len(msg), used, cut, ok)
	}
}

func TestDatagramLosesOnlyLineEndings(t *testing.T) {
	for in, want := range map[string]string{
		"<1>a\n": "<1>a", "<1>a\r\n\x00": "<1>a", "<1>a \n": "<1>a ", "\n<1>a\nb": "\n<1>a\nb", "\r\n\x00": "", "": "",
	} {
		if got := string(TrimDatagram([]byte(in))); got != want {
			t.Errorf("TrimDatagram(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	buf := []byte(strings.Repeat("<13>a line\n10 <13>a frame<13>and NUL\x00", 10))
	f := NewFramer(1000)
	if n := testing.AllocsPerRun(100, func() {
		for rest := buf; len(rest) > 0; {
			_, used, _, _ := f.Next(rest, false)
			rest = rest[used:]
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// framingCase is a line of the corpus's framing_dev.jsonl.
type framingCase struct {
	ID       string   `json:"id"`
	Class    string   `json:"class"`
	Segments [][]byte `json:"segments_b64"`
	EOF      bool     `json:"eof"`
	Expect   struct {
		Match    string   `json:"match"`
		Messages [][]byte `json:"messages_b64"`
		Also     []struct {
			Messages [][]byte `json:"messages_b64"`
		} `json:"also_acceptable"`
	} `json:"expect"`
}

// fits tells whether got is what the corpus expects of a reader that cuts at
// limit and closes no connection.
func (c *framingCase) fits(got []string, limit int) bool {
	want := texts(c.Expect.Messages)
	switch c.Expect.Match {
	case "exact":
		return slices.Equal(got, want)
	case "one_of":
		for _, also := range c.Expect.Also {
			if slices.Equal(got, texts(also.Messages)) {
				return true
			}
		}
		return slices.Equal(got, want)
	case "last_message_must_arrive":
		return len(got) > 0 && got[len(got)-1] == want[len(want)-1]
	case "first_may_be_truncated_or_dropped":
		want[0] = want[0][:min(len(want[0]), limit)]
		return slices.Equal(got, want)
	}
	return false
}

func texts(b [][]byte) []string {
	var out []string
	for _, m := range b {
		out = append(out, string(m))
	}
	return out
}

// framingCorpus reads the corpus beside the repository.
func framingCorpus(t *testing.T) []framingCase {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this directory")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "corpus", "framing_dev.jsonl"))
	if err != nil {
		t.Skipf("the message corpus is not beside the repository: %v", err)
	}
	var cases []framingCase
	for line := range bytes.Lines(data) {
		var c framingCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(c.Class, "proxy-") {
			cases = append(cases, c)
		}
	}
	return cases
}

func TestFramingCorpus(t *testing.T) {
	for _, c := range framingCorpus(t) {
		t.Run(c.ID+" "+c.Class, func(t *testing.T) {
			got, _ := frameAll(t, 64<<10, texts(c.Segments), c.EOF)
			if !c.fits(got, 64<<10) {
				t.Errorf("got %.300q\nwant (%s) %.300q", got, c.Expect.Match, c.Expect.Messages)
			}
		})
	}
}
