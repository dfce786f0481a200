package cwl

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"

	"kinesyslog/internal/yardstick"
)

// BenchmarkYardstick has the standard library as the yardstick: its JSON, and
// its gzip at the same level. A message is 256 bytes.
func BenchmarkYardstick(b *testing.B) {
	const events = 8000
	lines, stamps := logLines(events)
	id := NewID(1771708070000, 8123456789012345, 3)
	compare := func(pair, name string, n int, ours, theirs func()) {
		b.Run(pair+"/ours", func(b *testing.B) { yardstick.Measure(b, n, n*256, ours) })
		b.Run(pair+"/"+name, func(b *testing.B) { yardstick.Measure(b, n, n*256, theirs) })
	}

	text := make([]byte, 0, 8192)
	std := newStandard(b)
	compare("text", "encoding_json", 1000, func() {
		for _, line := range lines[:1000] {
			text = AppendText(text[:0], line)
		}
	}, func() {
		for _, line := range lines[:1000] {
			std.encode(string(line))
		}
	})

	builder := newBuilder(b, 6)
	builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
	compare("event", "encoding_json", 1000, func() {
		for i, line := range lines[:1000] {
			id.Set(uint64(i))
			builder.chunk = builder.chunk[:0]
			builder.appendEvent(&id, stamps[i], nil, line)
		}
	}, func() {
		for i, line := range lines[:1000] {
			id.Set(uint64(i))
			std.encode(Event{ID: id.String(), Timestamp: stamps[i], Message: string(line)})
		}
	})

	compare("document", "encoding_json+compress_gzip", events, func() {
		builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
		for i, line := range lines {
			id.Set(uint64(i))
			if !builder.Add(&id, stamps[i], nil, line) {
				b.Fatal("document full")
			}
		}
		mustClose(b, builder)
	}, func() {
		d := Document{
			MessageType: "DATA_MESSAGE", Owner: "123456789012", LogGroup: "/kinesyslog/syslog/514", LogStream: "192.0.2.7",
			SubscriptionFilters: []string{"/kinesyslog/syslog/514"}, LogEvents: make([]Event, events),
		}
		for i, line := range lines {
			id.Set(uint64(i))
			d.LogEvents[i] = Event{ID: id.String(), Timestamp: stamps[i], Message: string(line)}
		}
		std.document(d)
	})
}

// standard is the standard library, used with care.
type standard struct {
	tb   testing.TB
	json *json.Encoder
	text bytes.Buffer
	gzip *stdgzip.Writer
	out  bytes.Buffer
}

func newStandard(tb testing.TB) *standard {
	s := &standard{tb: tb}
	s.json = json.NewEncoder(&s.text)
	s.json.SetEscapeHTML(false)
	gz, err := stdgzip.NewWriterLevel(&s.out, 6)
	if err != nil {
		tb.Fatal(err)
	}
	s.gzip = gz
	return s
}

func (s *standard) encode(v any) {
	s.text.Reset()
	if err := s.json.Encode(v); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *standard) document(d Document) {
	s.encode(d)
	s.out.Reset()
	s.gzip.Reset(&s.out)
	if _, err := s.gzip.Write(s.text.Bytes()); err != nil {
		s.tb.Fatal(err)
	}
	if err := s.gzip.Close(); err != nil {
		s.tb.Fatal(err)
	}
}

// One message of 256 bytes, as text within JSON. copy is what memory charges.
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
	run("plain", lines, AppendText)
	run("utf8", utf8Lines, AppendText)
	run("quotes", quoted, AppendText)
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
