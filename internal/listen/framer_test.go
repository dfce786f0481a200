package listen

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/syslog"
)

const indentedGELF = "{\n  \"version\": \"1.1\",\n  \"host\": \"a\",\n  \"short_message\": \"<13>}\"\n}"

// frame gives a stream to a framer as a connection does, in pieces of so many
// bytes.
func frame(t *testing.T, f framer, maxMessage int, stream string, piece int) (texts []string) {
	t.Helper()
	var buf []byte
	for rest := []byte(stream); ; {
		n := min(piece, len(rest))
		buf, rest = append(buf, rest[:n]...), rest[n:]
		eof := len(rest) == 0
		for {
			msg, used, _, ok := f.Next(buf, eof)
			if ok {
				texts = append(texts, string(msg))
			}
			buf = buf[used:]
			if !ok {
				break
			}
		}
		if len(buf) > maxMessage+64 {
			t.Fatalf("%d bytes wait for more, at most %d may", len(buf), maxMessage+64)
		}
		if eof {
			if len(buf) > 0 {
				t.Fatalf("%q is left at the end", buf)
			}
			return texts
		}
	}
}

func TestIndentedGELFAmongSyslogIsOneMessage(t *testing.T) {
	const object = indentedGELF
	long := strings.Replace(object, "a", strings.Repeat("a", 1000), 1)
	lines := func(s string) []string {
		return strings.FieldsFunc(s, func(c rune) bool { return c == '\n' || c == 0 })
	}
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"ended by NUL", object + "\x00" + object + "\x00", []string{object, object}},
		{"ended by LF", object + "\n" + object + "\n", []string{object, object}},
		{"ended by CR LF", object + "\r\n" + object + "\r\n", []string{object, object}},
		{"ended by LF and NUL, empty messages", "\n\x00" + object + "\n\x00\x00" + object, []string{object, object}},
		{"not ended", object, []string{object}},
		{"among lines", "<1>a\n" + object + "\n<2>b\n" + object + "\n{}\n<3>c", []string{"<1>a", object, "<2>b", object, "{}", "<3>c"}},
		{"among counted frames", "5 <1>\na" + object + "\n5 <2>\nb", []string{"<1>\na", object, "<2>\nb"}},
		{"behind NUL that ended a line of several", "<1>a\x00<2>b\x00" + object + "\x00<3>c\n<4>d\n", []string{"<1>a", "<2>b", object, "<3>c", "<4>d"}},
		{"what was known of the bytes it took is forgotten", "<1>a\x00{      " + object[1:] + "a\nb\n", []string{"<1>a", "{      " + object[1:], "a", "b"}},
		{"cut off: lines", "<1>a\n{\n\"host\": \"a\",\n\"short_message\":", []string{"<1>a", "{", `"host": "a",`, `"short_message":`}},
		{"other JSON: lines", "{\n\"a\": 1\n}\n<1>a\n", []string{"{", `"a": 1`, "}", "<1>a"}},
		{"other JSON: no more is looked for", "{\n\"a\": 1\n}\n" + object, append([]string{"{", `"a": 1`, "}"}, lines(object)...)},
		{"a brace: lines", "{\n<1>a\n<2>b\n", []string{"{", "<1>a", "<2>b"}},
		{"a brace and nothing", "{\n", []string{"{"}},
		{"too long: lines", long + "\n<1>a\n", append(lines(long)[:2:2], append([]string{`  "host": "` + strings.Repeat("a", 489)}, append(lines(long)[3:], "<1>a")...)...)},
		{"GELF on one line stays what it is", `{"host":"a","short_message":"b"}` + "\x00" + `{"c":1}` + "\n" + object, []string{`{"host":"a","short_message":"b"}`, `{"c":1}`, object}},
	} {
		const limit = 500
		for _, piece := range []int{len(tt.in), 1, 2, 7} {
			if d := cmp.Diff(tt.want, frame(t, newMixedFramer(limit), limit, tt.in, piece)); d != "" {
				t.Errorf("%s, in pieces of %d (-want +got):\n%s", tt.name, piece, d)
			}
		}
	}
}

func TestLineThatIsNoObjectIsNotHeldBack(t *testing.T) {
	for _, in := range []string{"{\n<1>a\n", "{\n\"a\nb\n", "{\nserver {\n", "{ \"a\": 1,\n", "{}\n"} {
		f := newMixedFramer(1000)
		if msg, used, _, ok := f.Next([]byte(in), false); !ok || used != strings.IndexByte(in, '\n')+1 {
			t.Errorf("of %q came %q, %d bytes used", in, msg, used)
		}
	}
}

// FuzzMixedFramerLosesNothing compares with the framer for syslog alone: apart
// from what ends messages, the same bytes must come out.
func FuzzMixedFramerLosesNothing(f *testing.F) {
	f.Add("<1>a\n"+indentedGELF+"\x00{\n\"b\n"+indentedGELF, uint8(3))
	f.Add("\r\n{\r\n\"host\":1,\"short_message\":2}\r\n\x00\x00{", uint8(1))
	stripped := regexp.MustCompile(`[0-9] | <`) // counts, and the space of Cisco ASA, are no content
	endings := func(texts []string) string {
		return strings.Map(func(c rune) rune {
			if c == '\n' || c == '\r' || c == 0 {
				return -1
			}
			return c
		}, strings.Join(texts, ""))
	}
	f.Fuzz(func(t *testing.T, stream string, piece uint8) {
		if stripped.MatchString(stream) {
			t.Skip("counts, and the space of Cisco ASA, are not told apart from content here")
		}
		limit := max(len(stream), 1)
		want := endings(frame(t, syslog.NewFramer(limit), limit, stream, int(piece)+1))
		got := endings(frame(t, newMixedFramer(limit), limit, stream, int(piece)+1))
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		frame(t, newMixedFramer(10), 10, stream, int(piece)+1)
	})
}

func TestFloodOfBracesIsLookedAtOnce(t *testing.T) {
	f := newMixedFramer(DefaultMaxMessage)
	flood := bytes.Repeat([]byte("{\n"), DefaultMaxMessage)
	for len(flood) > 0 {
		_, used, _, ok := f.Next(flood, false)
		if !ok || used != 2 || !f.never {
			t.Fatalf("%d bytes used, %v; looks for more: %v", used, ok, !f.never)
		}
		flood = flood[used:]
	}
}
