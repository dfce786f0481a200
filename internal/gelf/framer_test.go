package gelf

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frame gives stream to a framer in pieces that end at the given offsets, as a
// connection does, and returns what came out. A message that was cut is marked.
func frame(t *testing.T, maxMessage int, stream []byte, ends ...int) []string {
	t.Helper()
	f := NewNULFramer(maxMessage)
	var out []string
	from := 0
	ends = append(ends, len(stream))
	for i, end := range ends {
		eof := i == len(ends)-1
		for {
			msg, used, cut, ok := f.Next(stream[from:end], eof)
			if used < 0 || used > end-from || len(msg) > maxMessage {
				t.Fatalf("used %d of %d, message of %d bytes", used, end-from, len(msg))
			}
			from += used
			if !ok {
				break
			}
			s := fmt.Sprintf("%q", msg)
			if cut {
				s += " cut"
			}
			out = append(out, s)
		}
		if end-from > maxMessage {
			t.Fatalf("%d bytes wait for more, at most %d may", end-from, maxMessage)
		}
		if eof && from != end {
			t.Fatalf("%d bytes are left at the end", end-from)
		}
	}
	return out
}

func TestStreamsAreTakenApart(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"NUL", "{\"a\":1}\x00{\"b\":2}\x00", []string{`{"a":1}`, `{"b":2}`}},
		{"LF", "{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}},
		{"CR LF", "{\"a\":1}\r\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}},
		{"LF and NUL", "{\"a\":1}\n\x00{\"b\":2}\n\x00", []string{`{"a":1}`, `{"b":2}`}},
		{"CR stays before NUL", "{\"a\":1}\r\x00", []string{"{\"a\":1}\r"}},
		{"indented JSON", "{\n\"a\": {\n\"x\":[\n1]\n}\n}\n{\"b\":2}\n", []string{"{\n\"a\": {\n\"x\":[\n1]\n}\n}", `{"b":2}`}},
		{"brace and quote in strings", "{\"a\":\"}\\\"}\n\",\n\"b\":\"\\\\\"}\n{}\n", []string{"{\"a\":\"}\\\"}\n\",\n\"b\":\"\\\\\"}", "{}"}},
		{"NUL ends even what is open", "{\"a\":\"\x00{\n\x00}", []string{"{\"a\":\"", "{\n", "}"}},
		{"empty frames", "\x00\x00 \n{}\x00\x00\n", []string{"{}"}},
		{"no end", "{}\x00{\"a\":1}", []string{"{}", `{"a":1}`}},
		{"lines of text", "<34>one {\n<34>two\n", []string{"<34>one {", "<34>two"}},
		{"too many closing braces", "{}}\n{}\n", []string{"{}}", "{}"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var want []string
			for _, s := range tc.want {
				want = append(want, fmt.Sprintf("%q", s))
			}
			if diff := cmp.Diff(want, frame(t, 100, []byte(tc.in))); diff != "" {
				t.Errorf("in one piece (-want +got):\n%s", diff)
			}
			ends := make([]int, len(tc.in))
			for i := range ends {
				ends[i] = i
			}
			if diff := cmp.Diff(want, frame(t, 100, []byte(tc.in), ends...)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverlongMessageIsCutAndItsRestSkipped(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"exactly fits", "1234567890\x00next\x00", []string{`"1234567890"`, `"next"`}},
		{"one too many", "12345678901\x00next\x00", []string{`"1234567890" cut`, `"next"`}},
		{"many too many", strings.Repeat("1234567890", 9) + "\x00next\x00", []string{`"1234567890" cut`, `"next"`}},
		{"the rest has LF inside of the object", "{\"a\":\"xxxx\",\n\"b\":{\n}\n}\n{}\n", []string{`"{\"a\":\"xxxx" cut`, `"{}"`}},
		{"the head has LF inside of the object", "{\n\"a\":\"xxxxx\",\n\"b\":{\n}\n}\n{}\n", []string{`"{\n\"a\":\"xxx" cut`, `"{}"`}},
		{"the rest never ends", strings.Repeat("x", 99), []string{`"xxxxxxxxxx" cut`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, frame(t, 10, []byte(tc.in))); diff != "" {
				t.Errorf("in one piece (-want +got):\n%s", diff)
			}
			ends := make([]int, len(tc.in))
			for i := range ends {
				ends[i] = i
			}
			if diff := cmp.Diff(tc.want, frame(t, 10, []byte(tc.in), ends...)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	f := NewNULFramer(1000)
	for _, in := range []string{plain + "\x00", plain + "\n"} {
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() {
			if _, used, _, ok := f.Next(b, false); !ok || used != len(b) {
				t.Fatal(used, ok)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func FuzzNULFramerSegmentation(f *testing.F) {
	f.Add([]byte("{\"a\":1}\x00{\n\"b\":\"\\\"\n\"}\r\n<1>x\n"), uint16(3), uint16(12), uint8(20))
	f.Add([]byte("{\"a\":\"long\n\",\n[}]}\x00\x00 {}\n"), uint16(9), uint16(11), uint8(6))
	f.Fuzz(func(t *testing.T, stream []byte, a, b uint16, maxMessage uint8) {
		limit := int(maxMessage) + 1
		whole := frame(t, limit, stream)
		cuts := []int{min(int(a), len(stream)), min(int(b), len(stream))}
		slices.Sort(cuts)
		if diff := cmp.Diff(whole, frame(t, limit, stream, cuts...)); diff != "" {
			t.Errorf("cut at %v (-whole +cut):\n%s", cuts, diff)
		}
		if len(stream) > 256 {
			return
		}
		var each []int
		for i := range stream {
			each = append(each, i)
		}
		if diff := cmp.Diff(whole, frame(t, limit, stream, each...)); diff != "" {
			t.Errorf("byte by byte (-whole +cut):\n%s", diff)
		}
	})
}

func BenchmarkNULFramer(b *testing.B) {
	for _, end := range []string{"\x00", "\n"} {
		b.Run(fmt.Sprintf("%q", end), func(b *testing.B) {
			in := []byte(plain + end)
			f := NewNULFramer(65536)
			b.ReportAllocs()
			for b.Loop() {
				f.Next(in, false)
			}
		})
	}
}
