package cwl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A document is full when the JSON is, or when the record might become too
// long. Whatever was refused must not be in it, whatever was taken must.
func TestDocumentIsFullBeforeEitherLimitIsPassed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	texts := map[string]func() []byte{
		"repeats":      func() []byte { return bytes.Repeat([]byte("all work and no play "), 40) },
		"random bytes": func() []byte { return randomText(random, 3000, 0, 256) },
		"random ASCII": func() []byte { return randomText(random, 3000, 32, 127) },
		"controls":     func() []byte { return randomText(random, 3000, 0, 32) },
		"long":         func() []byte { return randomText(random, 200_000, 0, 256) },
		"short":        func() []byte { return randomText(random, 3, 65, 90) },
	}
	for name, text := range texts {
		for _, level := range []int{6, 7} {
			t.Run(fmt.Sprintf("%s/%d", name, level), func(t *testing.T) {
				b := newBuilder(t, level)
				b.Open("1", "g", "s")
				id := NewID(1, 2, 3)
				var want []string
				for {
					text := text()
					id.Set(uint64(len(want)))
					if !b.Add(&id, 1763797000123, nil, text) {
						break
					}
					want = append(want, expected(text))
				}
				record := mustClose(t, b)
				content := inflate(t, record)
				if len(content) > MaxJSON {
					t.Errorf("%d bytes of JSON, want at most %d", len(content), MaxJSON)
				}
				doc := parse(t, content)
				if len(doc.LogEvents) != len(want) {
					t.Fatalf("%d events, want %d", len(doc.LogEvents), len(want))
				}
				for i, event := range doc.LogEvents {
					if event.Message != want[i] {
						t.Fatalf("event %d is not what was added", i)
					}
				}
				// The record is the bill, so it must not be closed too early.
				largest := len(content) / len(want)
				if len(content) < MaxJSON-2*largest && len(record) < MaxRecord*3/4-2*largest {
					t.Errorf("full with %d bytes of JSON and %d compressed", len(content), len(record))
				}
			})
		}
	}
}

func randomText(r *rand.Rand, size, from, to int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(from + r.IntN(to-from))
	}
	return b
}

func TestTextOfAnyBytesFitsAnEmptyDocument(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	name := strings.Repeat("n", 512)
	texts := map[string][]byte{
		"random bytes":       randomText(random, MaxText, 0, 256),
		"control characters": randomText(random, MaxText, 0, 32),
		"long escapes":       randomText(random, MaxText, 14, 32),
		"not UTF-8":          randomText(random, MaxText, 0x80, 256),
		"never UTF-8":        randomText(random, MaxText, 0xf8, 256),
		"quotes":             bytes.Repeat([]byte(`"\`), MaxText/2),
		"NUL":                make([]byte, MaxText),
	}
	for level := 1; level <= 9; level++ {
		b := newBuilder(t, level)
		for kind, text := range texts {
			if level != 6 && level != 7 && kind != "random bytes" {
				continue // the others work as one of these does
			}
			b.Open("123456789012", name, name)
			id := NewID(1, 2, 3)
			if !b.Add(&id, 0, text[:100], text[100:]) {
				t.Errorf("level %d, %s: does not fit", level, kind)
				continue
			}
			record := mustClose(t, b)
			t.Logf("level %d, %s: %d bytes", level, kind, len(record))
			want := expected(text[:100]) + expected(text[100:])
			if got := read(t, record).LogEvents[0].Message; got != want {
				t.Errorf("level %d, %s: altered", level, kind)
			}
		}
	}
}

func TestTextTooLongForAnyDocumentIsRefusedAndTheDocumentStaysUsable(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for name, text := range map[string][]byte{
		"too much JSON":  make([]byte, 600_000),
		"too long":       make([]byte, MaxJSON+1),
		"incompressible": randomText(random, 1_100_000, 32, 127),
	} {
		b := newBuilder(t, 6)
		b.Open("1", "g", "s")
		id := NewID(1, 2, 3)
		if name == "incompressible" {
			text = append(text, randomText(random, 300_000, 32, 127)...)
		}
		if b.Add(&id, 0, nil, text) {
			t.Errorf("%s: was taken", name)
		}
		if b.Events() != 0 {
			t.Errorf("%s: %d events, want 0", name, b.Events())
		}
		if !b.Add(&id, 0, nil, []byte("after")) {
			t.Errorf("%s: the next event was refused", name)
		}
		doc := read(t, mustClose(t, b))
		if len(doc.LogEvents) != 1 || doc.LogEvents[0].Message != "after" {
			t.Errorf("%s: the document holds %v", name, doc.LogEvents)
		}
	}
}
