package explain

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// collect returns the messages of a stream, and the error that ended it.
func collect(stream string, framing Framing, buffer int) (got []string, failure string) {
	for m, err := range Frames(bufio.NewReaderSize(strings.NewReader(stream), buffer), framing) {
		if err != nil {
			return got, err.Error()
		}
		got = append(got, string(m))
	}
	return got, ""
}

func TestMessagesArePartedAsAskedFor(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for _, c := range []struct {
		framing      Framing
		stream       string
		want         []string
		wantsFailure string
	}{
		{Newline, "", nil, ""},
		{Newline, "a\nb\r\n\n\r\nc", []string{"a", "b", "c"}, ""},
		{Newline, "a\x00b\n" + long + "\n", []string{"a\x00b", long}, ""},
		{NUL, "a\nb\x00\x00c", []string{"a\nb", "c"}, ""},
		{Octet, "", nil, ""},
		{Octet, "1 a0 3 b\nc", []string{"a", "", "b\nc"}, ""},
		{Octet, "003 abc\n", []string{"abc"}, ""},
		{Octet, fmt.Sprintf("%d %s1 a", len(long), long), []string{long, "a"}, ""},
		{Octet, "3 abc\n3 abc", []string{"abc"}, `reading messages at byte 5: '\n' where a count`},
		{Octet, "<13>text\n", nil, `reading messages at byte 0: '<' where a count of octets and a space should be: give --framing newline for lines`},
		{Octet, "5 abc", nil, "5 octets are announced, and the stream ends after 3"},
		{Octet, "12", nil, "the stream ends within a count"},
		{Octet, " a", nil, `' ' where a count`},
		{Octet, "99999999999 a", nil, "a count of more than 67108864 octets"},
		{"lines", "a", nil, `there is no framing "lines": give newline, octet or nul`},
	} {
		for _, buffer := range []int{16, 4096} {
			got, failure := collect(c.stream, c.framing, buffer)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s %.40q: %s", c.framing, c.stream, diff)
			}
			if !strings.Contains(failure, c.wantsFailure) || (failure == "") != (c.wantsFailure == "") {
				t.Errorf("%s %.40q: error %q, want %q", c.framing, c.stream, failure, c.wantsFailure)
			}
		}
	}
}

func TestACountAloneTakesNoMemory(t *testing.T) {
	f := &frames{r: bufio.NewReader(strings.NewReader("60000000 a"))}
	if _, err := f.octets(); err == nil || cap(f.buf) > 1<<20 {
		t.Errorf("%v, %d bytes for a frame of which one byte comes", err, cap(f.buf))
	}
}

// FuzzFrames checks that counted frames hold any bytes, and that the other
// framings lose nothing but what parts messages.
func FuzzFrames(f *testing.F) {
	f.Add("a\nb\x00c", "\r\n")
	f.Add("1 a", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		stream := fmt.Sprintf("%d %s%d %s", len(a), a, len(b), b)
		if got, failure := collect(stream, Octet, 64); failure != "" || !slices.Equal(got, []string{a, b}) {
			t.Fatalf("%q became %q, %s", []string{a, b}, got, failure)
		}
		for framing, part := range map[Framing]string{Newline: "\n", NUL: "\x00"} {
			got, failure := collect(a, framing, 64)
			want := strings.NewReplacer(part, "", "\r", "").Replace(a)
			if failure != "" || strings.NewReplacer(part, "", "\r", "").Replace(strings.Join(got, "")) != want {
				t.Fatalf("%q became %q, %s", a, got, failure)
			}
		}
		collect(a, Octet, 64) // whatever it makes of it
	})
}
