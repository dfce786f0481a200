package batch

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/klauspost/compress/gzip"

	"kinesyslog/internal/yardstick"
)

// BenchmarkYardstick has the machine's floor as the yardstick: the same
// compressor at the same level, fed with the bare text. bytes/msg is what is
// shipped for a message of 256 bytes.
func BenchmarkYardstick(b *testing.B) {
	const n = 20_000
	for _, senders := range []int{1, 100} {
		g := lines(n, senders)
		b.Run(fmt.Sprintf("convert-%d/ours", senders), func(b *testing.B) { benchmarkConvert(b, g, n, nil) })
		b.Run(fmt.Sprintf("convert-%d/bare_gzip", senders), func(b *testing.B) { benchmarkBare(b, g, n) })
	}
}

// BenchmarkByHost is the conversion with a log stream for each host that
// messages name.
func BenchmarkByHost(b *testing.B) {
	const n = 20_000
	benchmarkConvert(b, lines(n, 1), n, byHost)
}

func benchmarkConvert(b *testing.B, g *generation, n int, change func(*Options)) {
	c := converter(b, change)
	var out discard
	yardstick.Measure(b, n, n*256, func() {
		out.bytes = 0
		if err := c.Convert(g, g, &out); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(float64(out.bytes)/float64(n), "bytes/msg")
}

func benchmarkBare(b *testing.B, g *generation, n int) {
	var text []byte
	for _, block := range g.blocks {
		for _, t := range block.All() {
			text = append(append(text, t...), '\n')
		}
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, 6)
	if err != nil {
		b.Fatal(err)
	}
	yardstick.Measure(b, n, n*256, func() {
		out.Reset()
		z.Reset(&out)
		for rest := text; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
			if _, err := z.Write(rest[:min(len(rest), 64<<10)]); err != nil {
				b.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(float64(out.Len())/float64(n), "bytes/msg")
}
