package relp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// feed gives stream to a Framer in pieces that end at the given offsets, keeping
// what is not used as a connection does, and returns what came out as text.
func feed(t *testing.T, maxData int, stream []byte, ends ...int) []string {
	t.Helper()
	f := NewFramer(maxData)
	var out []string
	from := 0
	for _, end := range append(ends, len(stream)) {
		for {
			fr, used, ok, err := f.Next(stream[from:end])
			if used < 0 || used > end-from {
				t.Fatalf("used %d of %d bytes", used, end-from)
			}
			from += used
			if err != nil {
				return append(out, err.Error())
			}
			if !ok {
				break
			}
			if len(fr.Data) > maxData || fr.Cut != (fr.Length > maxData) || !fr.Cut && len(fr.Data) != fr.Length {
				t.Fatalf("frame %+v with at most %d bytes allowed", fr, maxData)
			}
			out = append(out, fmt.Sprintf("%d %s %d %q", fr.Txnr, fr.Command, fr.Length, fr.Data))
		}
		if end-from > maxData+64 {
			t.Fatalf("%d bytes were kept waiting, at most %d are promised", end-from, maxData+64)
		}
	}
	return out
}

func TestFramesAreTakenApart(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty stream", "", nil},
		{"one frame", "2 syslog 5 hello\n", []string{`2 syslog 5 "hello"`}},
		{"no data", "3 close 0\n", []string{`3 close 0 ""`}},
		{"no data, but its space", "3 close 0 \n", []string{`3 close 0 ""`}},
		{"LF and spaces in the data", "4 syslog 4 a\n b\n", []string{`4 syslog 4 "a\n b"`}},
		{"two frames", "4 syslog 1 a\n5 syslog 1 b\n", []string{`4 syslog 1 "a"`, `5 syslog 1 "b"`}},
		{"data of the longest allowed length", "4 syslog 8 12345678\n", []string{`4 syslog 8 "12345678"`}},
		{"leading zeros", "000000004 syslog 000000001 a\n", []string{`4 syslog 1 "a"`}},
		{"command of 32 letters", "1 " + strings.Repeat("x", 32) + " 0\n", []string{"1 " + strings.Repeat("x", 32) + ` 0 ""`}},
		{"unfinished header", "4 sysl", nil},
		{"unfinished data", "4 syslog 4 ab", nil},
		{"LF still to come", "4 syslog 2 ab", nil},

		{"not a number", "x syslog 1 a\n", []string{"relp: byte 0x78 where a transaction number should begin"}},
		{"TLS", "\x16\x03\x01", []string{"relp: byte 0x16 where a transaction number should begin; the sender seems to use TLS, this listener does not"}},
		{"plain syslog", "<34>1 - - -", []string{"relp: byte 0x3c where a transaction number should begin; the sender seems to send plain syslog, point it at a TCP listener"}},
		{"ten digits", "1234567890 syslog 1 a\n", []string{"relp: transaction number of more than nine digits"}},
		{"letter in the number", "12a syslog 1 a\n", []string{"relp: byte 0x61 after transaction number 12"}},
		{"digit in the command", "1 sys1og 1 a\n", []string{"relp: frame 1: byte 0x31 in the command"}},
		{"no command", "1  1 a\n", []string{"relp: frame 1: byte 0x20 in the command"}},
		{"command of 33 letters", "1 " + strings.Repeat("x", 33) + " 0\n", []string{"relp: frame 1: command of more than 32 letters"}},
		{"no data length", "1 syslog \n", []string{"relp: frame 1: data length is not a number of one to nine digits"}},
		{"data length of ten digits", "1 syslog 1234567890 a\n", []string{"relp: frame 1: data length is not a number of one to nine digits"}},
		{"negative data length", "1 syslog -1 a\n", []string{"relp: frame 1: data length is not a number of one to nine digits"}},
		{"data missing", "1 syslog 1\na\n", []string{"relp: frame 1: byte 0x0a after the data length"}},
		{"data longer than said", "1 syslog 1 ab\n", []string{"relp: frame 1: byte 0x62 where the LF after the data should be"}},
		{"data where none was said", "1 syslog 0 a\n", []string{"relp: frame 1: byte 0x61 where the LF after the data should be"}},
		{"good, then bad", "1 open 1 a\n\n", []string{`1 open 1 "a"`, "relp: byte 0x0a where a transaction number should begin"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, feed(t, 8, []byte(tc.in))); diff != "" {
				t.Errorf("in one piece (-want +got):\n%s", diff)
			}
			ends := make([]int, len(tc.in))
			for i := range ends {
				ends[i] = i
			}
			if diff := cmp.Diff(tc.want, feed(t, 8, []byte(tc.in), ends...)); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverlongDataIsCutAndTheRestOfTheFrameSkipped(t *testing.T) {
	f := NewFramer(10)
	stream := []byte("7 syslog 25 " + strings.Repeat("abcde", 5) + "\n8 syslog 2 ok\n")
	fr, used, ok, err := f.Next(stream[:36])
	if ok || err != nil {
		t.Fatalf("frame %q ok %v err %v before its last byte", fr.Data, ok, err)
	}
	stream = stream[used:]
	fr, used, ok, err = f.Next(stream)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if diff := cmp.Diff(Frame{7, []byte("syslog"), []byte("abcdeabcde"), 25, true}, fr); diff != "" {
		t.Error(diff)
	}
	fr, _, ok, _ = f.Next(stream[used:])
	if !ok || fr.Txnr != 8 || string(fr.Data) != "ok" || fr.Cut {
		t.Errorf("next frame is %+v, %v", fr, ok)
	}
}

func TestOverlongDataMustEndInLF(t *testing.T) {
	_, _, _, err := NewFramer(2).Next([]byte("7 syslog 4 abcdX"))
	var pe *ProtocolError
	if !errors.As(err, &pe) || pe.Reason != BadFrame {
		t.Errorf("err = %v", err)
	}
}

func TestAnAnnouncedLengthReservesNoMemory(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		f := Framer{maxData: 1 << 30}
		if _, _, ok, err := f.Next([]byte("1 syslog 999999999 abc")); ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFramerSegmentation(f *testing.F) {
	f.Add([]byte("1 open 3 abc\n2 syslog 5 hello\n3 close 0\n"), uint16(3), uint16(20), uint8(4))
	f.Add([]byte("000000001 syslog 000000012 aaaaaaaaaaaa\n2 rsp 0 \n"), uint16(30), uint16(31), uint8(9))
	f.Add([]byte("1 syslog 1000000000 x"), uint16(9), uint16(12), uint8(200))
	f.Add([]byte("1 syslog 3 abcd"), uint16(13), uint16(14), uint8(0))
	f.Fuzz(func(t *testing.T, stream []byte, a, b uint16, maxData uint8) {
		whole := feed(t, int(maxData), stream)
		cuts := []int{min(int(a), len(stream)), min(int(b), len(stream))}
		slices.Sort(cuts)
		if diff := cmp.Diff(whole, feed(t, int(maxData), stream, cuts...)); diff != "" {
			t.Errorf("cut at %v (-whole +cut):\n%s", cuts, diff)
		}
		if len(stream) > 256 {
			return
		}
		var each []int
		for i := range stream {
			each = append(each, i)
		}
		if diff := cmp.Diff(whole, feed(t, int(maxData), stream, each...)); diff != "" {
			t.Errorf("byte by byte (-whole +cut):\n%s", diff)
		}
	})
}

func FuzzFramesSurviveTheRoundTrip(f *testing.F) {
	f.Add(uint32(1), []byte("hello"))
	f.Add(uint32(MaxTxnr), []byte("\n 1 rsp 0\n"))
	f.Fuzz(func(t *testing.T, txnr uint32, data []byte) {
		n := Txnr(txnr % uint32(MaxTxnr+1))
		b := AppendSyslog(nil, n, data)
		fr, used, ok, err := NewFramer(len(data)).Next(b)
		if err != nil || !ok || used != len(b) || fr.Txnr != n || string(fr.Command) != "syslog" || !bytes.Equal(fr.Data, data) {
			t.Errorf("%q came back as %+v used %d ok %v err %v", b, fr, used, ok, err)
		}
	})
}

func BenchmarkFramer(b *testing.B) {
	var stream []byte
	for i := range 100 {
		stream = AppendSyslog(stream, Txnr(i+1), bytes.Repeat([]byte("x"), 200))
	}
	f := NewFramer(65536)
	b.ReportAllocs()
	rest := stream
	for b.Loop() {
		_, used, ok, err := f.Next(rest)
		if !ok || err != nil {
			b.Fatal(ok, err)
		}
		if rest = rest[used:]; len(rest) == 0 {
			rest = stream
		}
	}
}
