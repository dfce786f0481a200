package syslog

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"
)

// ownMessages are the lines of testdata/messages.txt: one or two of each form
// docs/formats.md tells of.
func ownMessages(tb testing.TB) [][]byte {
	tb.Helper()
	text, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

func corpusMessages(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, c := range headerCorpus(tb) {
		all = append(all, c.message())
	}
	return all
}

// receipt is when the messages of testdata are received.
var receipt = time.Date(2026, 2, 12, 6, 26, 0, 0, time.UTC)

// BenchmarkScan reports ns for each message.
func BenchmarkScan(b *testing.B) {
	b.Run("rfc5424", func(b *testing.B) { benchmarkScan(b, ownMessages(b)[:1]) })
	b.Run("rfc3164", func(b *testing.B) { benchmarkScan(b, ownMessages(b)[8:9]) })
	b.Run("own", func(b *testing.B) { benchmarkScan(b, ownMessages(b)) })
	b.Run("corpus", func(b *testing.B) { benchmarkScan(b, corpusMessages(b)) })
}

func benchmarkScan(b *testing.B, messages [][]byte) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	s := Scanner{Location: berlin, MaxPast: 30 * 24 * time.Hour, MaxFuture: 24 * time.Hour}
	b.ReportAllocs()
	now, next := receipt.UnixMicro(), 0
	for b.Loop() {
		s.Scan(messages[next], now)
		if next++; next == len(messages) { // a division would cost as much as a fifth of a Scan
			next = 0
		}
	}
}

// BenchmarkLeodido is the yardstick: the usual Go library on the same messages,
// RFC 5424 first, then RFC 3164, as its users do.
func BenchmarkLeodido(b *testing.B) {
	b.Run("own", func(b *testing.B) { benchmarkLeodido(b, ownMessages(b)) })
	b.Run("corpus", func(b *testing.B) { benchmarkLeodido(b, corpusMessages(b)) })
}

func benchmarkLeodido(b *testing.B, messages [][]byte) {
	strict := rfc5424.NewParser(rfc5424.WithBestEffort())
	bsd := rfc3164.NewParser(rfc3164.WithBestEffort(), rfc3164.WithYear(rfc3164.CurrentYear{}))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		msg := messages[i%len(messages)]
		if _, err := strict.Parse(msg); err != nil {
			_, _ = bsd.Parse(msg)
		}
	}
}
