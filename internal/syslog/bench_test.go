package syslog

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	leodido "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"kinesyslog/internal/yardstick"
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

// BenchmarkYardstick has the usual Go library as the yardstick of headers, on
// messages that it accepts without a complaint, and bufio as that of framing.
func BenchmarkYardstick(b *testing.B) {
	for _, form := range []struct {
		name   string
		parser leodido.Machine
	}{
		{"rfc5424", rfc5424.NewParser()},
		{"rfc3164", rfc3164.NewParser(rfc3164.WithYear(rfc3164.CurrentYear{}))},
	} {
		messages := accepted(b, form.parser)
		s, now := scanner(b), receipt.UnixMicro()
		library := each(messages, func(m []byte) { _, _ = form.parser.Parse(m) })
		compare(b, "scan-"+form.name, messages, each(messages, func(m []byte) { s.Scan(m, now) }), "leodido", library)
		compare(b, "parse-"+form.name, messages, each(messages, func(m []byte) { s.Parse(m, now) }), "leodido", library)
	}
	var lines, ended, counted [][]byte
	for i := range 1000 {
		text := fmt.Sprintf("<13>1 2026-02-12T06:25:%02d.%06dZ host app %d - - %s", i%60, i, i, strings.Repeat("x", 206))
		lines = append(lines, []byte(text+"\n"))
		ended = append(ended, []byte(text+"\x00"))
		counted = append(counted, fmt.Appendf(nil, "%d %s", len(text), text))
	}
	compare(b, "frame-lf", lines, frameEach(lines), "bufio", scanLines(lines))
	compare(b, "frame-nul", ended, frameEach(ended), "bufio", readEnded(b, ended))
	compare(b, "frame-octet", counted, frameEach(counted), "bufio", readCounted(b, counted))
}

func compare(b *testing.B, pair string, messages [][]byte, ours func(), name string, theirs func()) {
	size := len(bytes.Join(messages, nil))
	b.Run(pair+"/ours", func(b *testing.B) { yardstick.Measure(b, len(messages), size, ours) })
	b.Run(pair+"/"+name, func(b *testing.B) { yardstick.Measure(b, len(messages), size, theirs) })
}

func each(messages [][]byte, f func([]byte)) func() {
	return func() {
		for _, m := range messages {
			f(m)
		}
	}
}

// accepted are the messages of testdata with which a parser of the library
// finds no fault.
func accepted(tb testing.TB, p leodido.Machine) (out [][]byte) {
	for _, m := range ownMessages(tb) {
		if _, err := p.Parse(m); err == nil {
			out = append(out, m)
		}
	}
	if len(out) < 3 {
		tb.Fatalf("the library accepts only %d messages", len(out))
	}
	return out
}

func scanner(tb testing.TB) *Scanner {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		tb.Fatal(err)
	}
	return &Scanner{Location: berlin, MaxPast: 30 * 24 * time.Hour, MaxFuture: 24 * time.Hour}
}

func frameEach(messages [][]byte) func() {
	stream := bytes.Join(messages, nil)
	f := NewFramer(64 << 10)
	return func() {
		for rest := stream; len(rest) > 0; {
			_, used, _, _ := f.Next(rest, false)
			rest = rest[used:]
		}
	}
}

func scanLines(messages [][]byte) func() {
	stream := bytes.Join(messages, nil)
	buf := make([]byte, 64<<10)
	return func() {
		s := bufio.NewScanner(bytes.NewReader(stream))
		s.Buffer(buf, 64<<10)
		for s.Scan() {
		}
	}
}

// readEnded reads up to each NUL.
func readEnded(tb testing.TB, messages [][]byte) func() {
	stream := bytes.Join(messages, nil)
	r := bufio.NewReaderSize(nil, 64<<10)
	return func() {
		r.Reset(bytes.NewReader(stream))
		for {
			if _, err := r.ReadSlice(0); err == io.EOF {
				return
			} else if err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// readCounted reads a length, then as much.
func readCounted(tb testing.TB, messages [][]byte) func() {
	stream := bytes.Join(messages, nil)
	r := bufio.NewReaderSize(nil, 64<<10)
	return func() {
		r.Reset(bytes.NewReader(stream))
		for {
			digits, err := r.ReadSlice(' ')
			if err == io.EOF {
				return
			}
			n, bad := strconv.Atoi(string(digits[:max(0, len(digits)-1)]))
			if err != nil || bad != nil {
				tb.Fatal(err, bad)
			}
			if _, err := r.Peek(n); err != nil {
				tb.Fatal(err)
			}
			_, _ = r.Discard(n) // as much was there
		}
	}
}

// BenchmarkScan is the header scan on every form of message: the library has
// no equal for most of these.
func BenchmarkScan(b *testing.B) {
	b.Run("own", func(b *testing.B) { benchmarkScan(b, ownMessages(b)) })
	b.Run("corpus", func(b *testing.B) { benchmarkScan(b, corpusMessages(b)) })
}

func benchmarkScan(b *testing.B, messages [][]byte) {
	s, now := scanner(b), receipt.UnixMicro()
	yardstick.Measure(b, len(messages), len(bytes.Join(messages, nil)), each(messages, func(m []byte) { s.Scan(m, now) }))
}
