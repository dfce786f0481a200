package cwl

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// One message of 256 bytes, as text within JSON. copy is what memory charges,
// encoding/json the yardstick.
func BenchmarkText(b *testing.B) {
	lines, _ := logLines(1024)
	utf8Lines, _ := logLines(1024)
	quoted, _ := logLines(1024)
	for i := range lines {
		for at := 20; at < 250; at += 10 {
			copy(utf8Lines[i][at:], "ü€")
			quoted[i][at] = '"'
		}
	}
	dst := make([]byte, 0, 8192)
	run := func(name string, lines [][]byte, f func(dst, line []byte) []byte) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(256)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				dst = f(dst[:0], lines[i&1023])
			}
		})
	}
	run("copy", lines, func(dst, line []byte) []byte { return append(dst, line...) })
	run("ours", lines, AppendText)
	run("ours/utf8", utf8Lines, AppendText)
	run("ours/quotes", quoted, AppendText)
	run("encoding_json", lines, func(dst, line []byte) []byte {
		text, err := json.Marshal(string(line))
		if err != nil {
			b.Fatal(err)
		}
		return append(dst, text...)
	})
}

// A document of events beside the same text gzipped bare, line after line, at
// the same level. bytes/msg is what is shipped for a message.
func BenchmarkRecord(b *testing.B) {
	const events = 8000
	lines, stamps := logLines(events)
	id := NewID(1771708070000, 8123456789012345, 3)
	for _, level := range []int{1, 5, 6, 7} {
		b.Run(fmt.Sprintf("level%d/ours", level), func(b *testing.B) {
			builder := newBuilder(b, level)
			benchmarkLines(b, events, func() int {
				builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
				for i, line := range lines {
					id.Set(uint64(i))
					if !builder.Add(&id, stamps[i], nil, line) {
						b.Fatal("document full")
					}
				}
				return len(mustClose(b, builder))
			})
		})
		b.Run(fmt.Sprintf("level%d/bare", level), func(b *testing.B) {
			var out output
			gz, err := gzip.NewWriterLevel(&out, level)
			if err != nil {
				b.Fatal(err)
			}
			var text []byte
			benchmarkLines(b, events, func() int {
				out.b = out.b[:0]
				gz.Reset(&out)
				text = text[:0]
				for _, line := range lines {
					text = append(append(text, line...), '\n')
					if len(text) >= chunkSize {
						gz.Write(text)
						text = text[:0]
					}
				}
				gz.Write(text)
				gz.Close()
				return len(out.b)
			})
		})
	}
}

func benchmarkLines(b *testing.B, events int, f func() int) {
	b.SetBytes(int64(events) * 256)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = f()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/msg")
	b.ReportMetric(float64(size)/float64(events), "bytes/msg")
}

// What an event costs before compression.
func BenchmarkAdd(b *testing.B) {
	lines, stamps := logLines(1024)
	builder := newBuilder(b, 1)
	builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
	id := NewID(1771708070000, 8123456789012345, 3)
	b.SetBytes(256)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id.Set(uint64(i))
		builder.chunk = builder.chunk[:0]
		builder.appendEvent(&id, stamps[i&1023], nil, lines[i&1023])
	}
}

// Why ids count up: the same document with ids at random.
func BenchmarkRandomIDs(b *testing.B) {
	const events = 8000
	lines, stamps := logLines(events)
	r := rand.New(rand.NewPCG(9, 10))
	builder := newBuilder(b, 6)
	benchmarkLines(b, events, func() int {
		builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
		for i, line := range lines {
			id := NewID(r.Uint64(), r.Uint64(), r.IntN(10000))
			id.Set(r.Uint64())
			if !builder.Add(&id, stamps[i], nil, line) {
				b.Fatal("document full")
			}
		}
		return len(mustClose(b, builder))
	})
}
