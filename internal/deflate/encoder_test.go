package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	kflate "github.com/klauspost/compress/flate"
)

// inflate reads a stream with two decoders that know nothing of this one.
func inflate(t testing.TB, stream []byte) []byte {
	t.Helper()
	rest := bytes.NewReader(stream)
	got, err := io.ReadAll(flate.NewReader(rest))
	if err != nil {
		t.Fatalf("the standard library's decoder: %v", err)
	}
	if rest.Len() != 0 {
		t.Fatalf("%d bytes behind the stream", rest.Len())
	}
	other, err := io.ReadAll(kflate.NewReader(bytes.NewReader(stream)))
	if err != nil {
		t.Fatalf("klauspost's decoder: %v", err)
	}
	if !bytes.Equal(got, other) {
		t.Fatal("two decoders read different texts")
	}
	return got
}

// compress writes text in pieces of the given size, with the hints that lie
// wholly within one.
func compress(e *Encoder, text []byte, hints []Hint, size int) []byte {
	e.Reset(nil)
	for from := 0; from < len(text); from += size {
		to := min(from+size, len(text))
		var within []Hint
		for _, h := range hints {
			if h.Offset >= from && h.Offset+h.Length <= to {
				within = append(within, Hint{h.Offset - from, h.Length, h.Distance})
			}
		}
		e.Write(text[from:to], within)
	}
	return e.Close()
}

// texts are of many kinds: most of them are not what the encoder is built for.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n, from, to int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(from + r.IntN(to-from))
		}
		return b
	}
	// The counts of these symbols are Fibonacci's numbers, which make the
	// longest codes there are.
	var skewed []byte
	for a, b, c := 1, 1, byte(0); a < 100_000; a, b, c = b, a+b, c+1 {
		skewed = append(skewed, bytes.Repeat([]byte{c}, a)...)
	}
	r.Shuffle(len(skewed), func(i, j int) { skewed[i], skewed[j] = skewed[j], skewed[i] })
	var far []byte // matches at the greatest distance, and one beyond
	for _, distance := range []int{maxDistance - 1, maxDistance, maxDistance + 1} {
		piece := random(40, 0, 256)
		far = append(far, piece...)
		far = append(far, random(distance-len(piece), 0, 256)...)
		far = append(far, piece...)
	}
	var lines []byte
	for i := range 20_000 {
		lines = fmt.Appendf(lines, "<%d>1 2026-11-22T13:52:07.%06dZ web-%02d app[%d]: request %x took %d ms\n", r.IntN(192), i, r.IntN(9), r.IntN(30000), r.Uint64(), r.IntN(900))
	}
	return map[string][]byte{
		"nothing":       {},
		"one byte":      {'x'},
		"few bytes":     []byte("abcabcabcabc"),
		"zeros":         make([]byte, 1_000_000),
		"one letter":    bytes.Repeat([]byte("a"), 300_000),
		"short period":  bytes.Repeat([]byte("abc"), 100_000),
		"period of 15":  bytes.Repeat([]byte("0123456789abcde"), 20_000),
		"random":        random(1_000_000, 0, 256),
		"random ASCII":  random(500_000, 32, 127),
		"two symbols":   random(500_000, 'a', 'c'),
		"skewed":        skewed,
		"far":           far,
		"lines":         lines,
		"ends in zeros": append(random(1000, 1, 256), make([]byte, 700)...),
	}
}

func TestWhatIsWrittenIsReadBackByDecodersThatOthersWrote(t *testing.T) {
	e := NewEncoder()
	for name, text := range texts() {
		for _, size := range []int{len(text) + 1, 100_000, 4096, 97} {
			stream := compress(e, text, nil, size)
			if got := inflate(t, stream); !bytes.Equal(got, text) {
				t.Errorf("%s, %d bytes a piece: altered", name, size)
			}
		}
	}
}

func TestHintsOfAnyKindAlterNothing(t *testing.T) {
	e := NewEncoder()
	r := rand.New(rand.NewPCG(3, 4))
	for name, text := range texts() {
		for range 3 {
			var hints []Hint
			for at := r.IntN(200); at < len(text); at += r.IntN(1500) {
				length := 1 + r.IntN(300)
				if r.IntN(20) == 0 {
					length = 1 + r.IntN(4000)
				}
				distance := r.IntN(600)
				switch r.IntN(10) {
				case 0:
					distance = r.IntN(100_000)
				case 1:
					distance = -distance
				}
				if at+length <= len(text) {
					hints = append(hints, Hint{at, length, distance})
				}
				at += length
			}
			for _, size := range []int{len(text) + 1, 50_000} {
				if got := inflate(t, compress(e, text, hints, size)); !bytes.Equal(got, text) {
					t.Errorf("%s, %d bytes a piece: altered", name, size)
				}
			}
		}
	}
}

func TestHintsThatAreNoneAlterNothing(t *testing.T) {
	for _, n := range []int{4, 1200, 240_000} {
		text := bytes.Repeat([]byte("hello world "), n/12+1)[:n]
		for _, h := range []Hint{
			{0, n + 1, 1},
			{n - 1, 2, 1},
			{n, 1, 1},
			{n + 300, -400, 12},
			{n + 1, -1, 1},
			{math.MaxInt - 1000, 1, 12},
			{math.MinInt, -1, 12},
			{-5, 10, 12},
			{2, 0, 12},
			{2, -1, 12},
			{0, math.MaxInt, 1},
			{1, 1, math.MinInt},
			{1, 1, math.MaxInt},
		} {
			e := NewEncoder()
			e.Write(text, []Hint{h})
			e.Write(text, []Hint{h, {1, 2, 3}, h, {1, 2, 3}})
			if got := inflate(t, e.Close()); !bytes.Equal(got, slices.Concat(text, text)) {
				t.Errorf("%d bytes, hint %v: altered", n, h)
			}
		}
	}
}

// What --compression promises: as small as the library at level 6, give or
// take a twentieth.
func TestStreamsAreNoLargerThanTheLibrarysAtLevel6(t *testing.T) {
	for _, name := range []string{"lines", "skewed", "random ASCII", "zeros", "two symbols"} {
		text := texts()[name]
		var theirs bytes.Buffer
		w, err := kflate.NewWriter(&theirs, 6)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		ours := len(compress(NewEncoder(), text, nil, 32<<10))
		t.Logf("%s: %d bytes, the library's %d", name, ours, theirs.Len())
		if ours > theirs.Len()+theirs.Len()/20+500 {
			t.Errorf("%s: %d bytes, the library's %d", name, ours, theirs.Len())
		}
	}
}

func TestAStreamDependsOnNothingThatWasWrittenBefore(t *testing.T) {
	used := NewEncoder()
	all := texts()
	compress(used, all["random"], nil, 60_000)
	for name, text := range all {
		if want, got := compress(NewEncoder(), text, nil, 30_000), compress(used, text, nil, 30_000); !bytes.Equal(want, got) {
			t.Errorf("%s: another stream than a new encoder makes", name)
		}
	}
}

func TestNoStreamIsLongerThanItsBound(t *testing.T) {
	e := NewEncoder()
	for name, text := range texts() {
		for _, size := range []int{1000, 48_000} {
			e.Reset(nil)
			for from := 0; from < len(text); from += size {
				to := min(from+size, len(text))
				bound := e.Bound(len(text) - from)
				rest := *e
				rest.bits.out = bytes.Clone(e.bits.out)
				rest.Write(text[from:], nil)
				if n := len(rest.Close()); n > bound {
					t.Fatalf("%s, from %d on: %d bytes, bound %d", name, from, n, bound)
				}
				e.Write(text[from:to], nil)
				if to-from == size {
					from += 40 * size // a few places are enough
				}
			}
		}
	}
}

func TestAfterAFlushTheBoundIsNear(t *testing.T) {
	e := NewEncoder()
	text := []byte(strings.Repeat("all work and no play ", 5000))
	e.Write(text, nil)
	e.Flush()
	bound := e.Bound(0)
	if n := len(e.Close()); n > bound || bound-n > 2*maxHeader+16 {
		t.Errorf("%d bytes, bound %d", n, bound)
	}
	if got := inflate(t, e.Close()); !bytes.Equal(got, text) {
		t.Error("altered")
	}
}

func TestAStreamStandsBehindWhatWasGiven(t *testing.T) {
	e := NewEncoder()
	e.Reset([]byte("head"))
	e.Write([]byte("text"), nil)
	stream, ok := bytes.CutPrefix(e.Close(), []byte("head"))
	if !ok || string(inflate(t, stream)) != "text" {
		t.Errorf("got %q behind head: %v", stream, ok)
	}
}

func TestAWarmEncoderAllocatesNothing(t *testing.T) {
	e := NewEncoder()
	text := texts()["lines"]
	hints := []Hint{{Offset: 1000, Length: 100, Distance: 90}}
	var out []byte
	work := func() {
		e.Reset(out[:0])
		e.Write(text, hints)
		out = e.Close()
	}
	work()
	if n := testing.AllocsPerRun(5, work); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzEncoder(f *testing.F) {
	for _, text := range texts() {
		f.Add(text[:min(len(text), 300)], uint8(3), uint16(70), int16(90), uint8(100), uint16(4096), int64(0))
	}
	f.Add([]byte("a line of a log "), uint8(255), uint16(700), int16(16), uint8(40), uint16(40_000), int64(-3))
	e := NewEncoder()
	f.Fuzz(func(t *testing.T, piece []byte, times uint8, every uint16, distance int16, length uint8, size uint16, odd int64) {
		var text []byte
		for i := range int(times) {
			text = append(append(text, piece...), byte(i)) // so that it passes the window's end
		}
		var hints []Hint
		for at := int(every); length > 0 && at+int(length) <= len(text); at += int(length) + int(every) {
			hints = append(hints, Hint{at, int(length), int(distance)})
		}
		e.Reset(nil)
		bound := e.Bound(len(text))
		stream := compress(e, text, hints, 256+int(size))
		e.Reset(nil)
		e.Write(text, []Hint{{int(odd), int(distance), int(every)}, {int(every), int(length), int(odd)}})
		if got := inflate(t, e.Close()); !bytes.Equal(got, text) {
			t.Error("altered by a hint that is none")
		}
		if len(stream) > bound {
			t.Errorf("%d bytes, bound %d", len(stream), bound)
		}
		if got := inflate(t, stream); !bytes.Equal(got, text) {
			t.Error("altered")
		}
	})
}
