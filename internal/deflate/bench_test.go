package deflate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"

	"kinesyslog/internal/yardstick"
)

// BenchmarkYardstick has klauspost/compress at level 6 as the yardstick, which
// is what a record was compressed with before. A message is 256 bytes, in the
// envelope of a document.
func BenchmarkYardstick(b *testing.B) {
	const messages = 8000
	text, hints := document(messages)
	ours := NewEncoder()
	var out []byte
	var buffer bytes.Buffer
	theirs, err := flate.NewWriter(&buffer, 6)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("document/ours", func(b *testing.B) {
		yardstick.Measure(b, messages, len(text), func() {
			ours.Reset(out[:0])
			ours.Write(text, hints)
			out = ours.Close()
		})
		b.ReportMetric(float64(len(out))/messages, "bytes/msg")
	})
	b.Run("document/klauspost", func(b *testing.B) {
		yardstick.Measure(b, messages, len(text), func() {
			buffer.Reset()
			theirs.Reset(&buffer)
			if _, err := theirs.Write(text); err != nil {
				b.Fatal(err)
			}
			if err := theirs.Close(); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(float64(buffer.Len())/messages, "bytes/msg")
	})
}

// document is what a Builder of package cwl writes of so many messages.
func document(messages int) (text []byte, hints []Hint) {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 120)
	for i := range words {
		word := make([]byte, 3+r.IntN(8))
		for j := range word {
			word[j] = byte('a' + r.IntN(26))
		}
		words[i] = string(word)
	}
	last := 0
	for i := range messages {
		from := len(text)
		text = fmt.Appendf(text, `"},{"id":"00017638195270008123456789012345000100%08d","timestamp":17638195%05d,"message":"`, i, 27240+i/20)
		if i > 0 {
			hints = append(hints, Hint{Offset: from, Length: len(text) - from, Distance: from - last})
		}
		last = from
		begin := len(text)
		text = fmt.Appendf(text, "<%d>1 2026-11-22T13:52:07.%06dZ web-%02d app %d - - ", r.IntN(192), i, r.IntN(9), r.IntN(30000))
		for len(text) < begin+256 {
			switch r.IntN(9) {
			case 0:
				text = fmt.Appendf(text, "id=%08x ", r.Uint32())
			case 1:
				text = fmt.Appendf(text, "took %d ms, ", r.IntN(1000))
			default:
				text = append(append(text, words[r.IntN(len(words))]...), ' ')
			}
		}
		text = text[:begin+256]
	}
	return text, hints
}
