package syslog

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzFramer checks that the messages do not depend on where reads happen to
// stop, but for reads that stop after a NUL, which the Framer documents; and
// that nothing but framing gets lost.
func FuzzFramer(f *testing.F) {
	for _, s := range []string{
		"<1>a\n<2>b\r\n<3>c\x00<4>d",
		"4 <1>a5 <2>bb\n0 <3>\n99999999999 <4>\n",
		"12 <1>a\nb\n\x00<2>\n",
		"20 \xef\xbb\xbf<1>abc\n2025-01-01 x\n 3 {}",
		"\n\r\n \n <1>\x00x\r\r\n",
		"30 <1>too long to be delivered whole, and this too\n<2>x",
	} {
		f.Add([]byte(s), uint64(0x5a5a5a5a), uint8(16))
	}
	f.Fuzz(func(t *testing.T, data []byte, where uint64, limit uint8) {
		limit = max(limit, 1)
		whole, cuts := frameAll(t, int(limit), []string{string(data)}, true)

		var segments []string
		start := 0
		for i := range data {
			if where>>(i%64)&1 == 1 && data[i] != 0 {
				segments = append(segments, string(data[start:i+1]))
				start = i + 1
			}
		}
		segments = append(segments, string(data[start:]))
		pieces, pieceCuts := frameAll(t, int(limit), segments, true)
		if d := cmp.Diff(whole, pieces); d != "" || cuts != pieceCuts {
			t.Fatalf("whole and in pieces %q differ (cut: %d, %d):\n%s", segments, cuts, pieceCuts, d)
		}

		if cuts > 0 {
			return
		}
		rest := data
		for _, m := range whole {
			i := bytes.Index(rest, []byte(m))
			if i < 0 {
				t.Fatalf("message %q is not in the stream, or out of order", m)
			}
			rest = rest[i+len(m):]
		}
		got := countText([]byte(joined(whole)))
		if want := countText(data); got != want {
			t.Fatalf("%d bytes of text came out of %d: %q from %q", got, want, whole, data)
		}
	})
}

func joined(msgs []string) (s string) {
	for _, m := range msgs {
		s += m
	}
	return s
}

// countText counts the bytes that are never framing.
func countText(b []byte) (n int) {
	for _, c := range b {
		if c != '\n' && c != '\r' && c != 0 && c != ' ' && !isDigit(c) {
			n++
		}
	}
	return n
}
