package syslog

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

func TestScanFindsPRIFrameAndTime(t *testing.T) {
	now := receipt.UnixMicro()
	of := func(text string) int64 { return at(t, text).UnixMicro() }
	for _, c := range []struct {
		msg  string
		want Scan
	}{
		{"<34>Feb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<0>Feb 11 22:14:15 host su: text", Scan{true, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<191>Feb 11 22:14:15 host su: text", Scan{true, 191, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<13>1 2026-02-11T22:14:15.003Z h a - - - text", Scan{true, 13, of("2026-02-11T22:14:15.003Z"), Header, false, FrameRFC5424, 0}},
		{"<13>1 - - - - - -", Scan{true, 13, now, Received, false, FrameRFC5424, 0}},
		{"<13>1 2026-02-11 22:14:15 h a - - - text", Scan{true, 13, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC5424Malformed, 0}},
		{"<13>0 2026-02-11T22:14:15Z h a - - - text", Scan{true, 13, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC5424Malformed, 0}},
		{"<13>1 2026-02-31T22:14:15Z h a - - - text", Scan{true, 13, now, Received, false, FrameRFC5424Malformed, 0}},
		{"1 2026-02-11T22:14:15Z h a - - - text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC5424Malformed, 0}},
		{"<13>1 Feb 11 22:14:15 host app: text", Scan{true, 13, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<13>text", Scan{true, 13, now, Received, false, FrameRFC3164, 0}},
		{"<13>", Scan{true, 13, now, Received, false, FrameRFC3164, 0}},
		{"Feb 11 22:14:15 host su: text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"text", Scan{Time: now}},
		{"", Scan{Time: now}},
		{"<", Scan{Time: now}},
		{"<13", Scan{Time: now}},
		{"<13 Feb 11 22:14:15 host su: text", Scan{Time: now}}, // no ">", so nothing is sure
		// what stands around and in place of the PRI
		{"<192>Feb 11 22:14:15 host su: text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<99999999>Feb 11 22:14:15 host su: text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<x>Feb 11 22:14:15 host su: text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<x>text", Scan{Time: now}},
		{"\xef\xbb\xbf<34>Feb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"\r\n\x00 <34>Feb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<34>\xef\xbb\xbfFeb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"77 <34>Feb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<34><13>Feb 11 22:14:15 host su: text", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		{"<34>Feb 11 22:14:15\r\n\x00", Scan{true, 34, of("2026-02-11T22:14:15Z"), Header, false, FrameRFC3164, 0}},
		// a program that speaks first and then tells the time
		{"<13>backup: 2026-02-11 22:14:15 done", Scan{true, 13, of("2026-02-11T22:14:15Z"), Body, false, FrameRFC3164, 0}},
		{"[Wed Feb 11 22:14:15 2026] [notice] text", Scan{false, 0, of("2026-02-11T22:14:15Z"), Body, false, FrameNone, 0}},
	} {
		s := Scanner{Location: time.UTC}
		got := s.Scan([]byte(c.msg), now)
		got.Flaws = 0 // they have a test of their own
		if got != c.want {
			t.Errorf("%q:\n got %+v\nwant %+v", c.msg, got, c.want)
		}
	}
}

func TestZeroScannerReadsLocalTime(t *testing.T) {
	var s Scanner
	sent := time.Date(2026, 2, 11, 22, 14, 15, 0, time.Local)
	if got := s.Scan([]byte("<34>Feb 11 22:14:15 host su: text"), receipt.UnixMicro()); got.Time != sent.UnixMicro() {
		t.Errorf("got %s, want %s", time.UnixMicro(got.Time), sent)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	check := func(t *testing.T, messages [][]byte) {
		s := Scanner{Location: location(t, "Europe/Oslo"), MaxPast: time.Hour}
		for _, msg := range messages {
			if n := testing.AllocsPerRun(5, func() { s.Scan(msg, receipt.UnixMicro()) }); n != 0 {
				t.Errorf("%v allocations for %.120q", n, msg)
			}
		}
	}
	t.Run("own", func(t *testing.T) { check(t, ownMessages(t)) })
	t.Run("corpus", func(t *testing.T) { check(t, corpusMessages(t)) })
}

func TestScanAndParseAgree(t *testing.T) {
	check := func(t *testing.T, messages [][]byte) {
		for _, msg := range messages {
			mustAgree(t, msg, receipt.UnixMicro())
			mustAgree(t, msg[:len(msg)/2], receipt.UnixMicro())
		}
	}
	t.Run("own", func(t *testing.T) { check(t, ownMessages(t)) })
	t.Run("corpus", func(t *testing.T) { check(t, corpusMessages(t)) })
}

// oslo is loaded once, because fuzzing asks for it all the time.
var oslo = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		panic(err)
	}
	return loc
})

// mustAgree checks what Scan and Parse owe each other: the same PRI and time, a
// timestamp that, read back, is that time, and spans within the message.
func mustAgree(t *testing.T, msg []byte, received int64) {
	t.Helper()
	s := Scanner{Location: oslo()}
	before := bytes.Clone(msg)
	scan := s.Scan(msg, received)
	m := s.Parse(msg, received)
	if !bytes.Equal(before, msg) {
		t.Fatalf("the message was changed: %q", before)
	}
	if m.Scan != scan {
		t.Fatalf("%q: Scan %+v, Parse %+v", msg, scan, m.Scan)
	}
	if scan.Frame != m.Frame && (scan.Frame != FrameRFC5424 || m.Frame != FrameRFC5424Malformed) {
		t.Fatalf("%q: frame %s in Scan, %s in Parse", msg, scan.Frame, m.Frame)
	}
	if m.TimestampSource != scan.TimeSource || (m.Timestamp == "") != (scan.TimeSource == Received) {
		t.Fatalf("%q: timestamp %q from %s, Scan says %s", msg, m.Timestamp, m.TimestampSource, scan.TimeSource)
	}
	if m.Timestamp != "" {
		shown, err := time.Parse(time.RFC3339Nano, m.Timestamp)
		// Years above 9999 and offsets of seconds are beyond RFC 3339.
		if y := time.UnixMicro(scan.Time).UTC().Year(); err != nil && y < 9999 || err == nil && y > 1900 && shown.UnixMicro() != scan.Time {
			t.Fatalf("%q: timestamp %s, Scan says %s (%v)", msg, m.Timestamp, time.UnixMicro(scan.Time).UTC(), err)
		}
	}
	for _, span := range m.InText {
		if span.Start < 0 || span.End < span.Start || span.End > len(msg) {
			t.Fatalf("%q: spans leave the message: %v", msg, m.InText)
		}
	}
	end := 0
	for _, span := range m.Spans {
		if span.Start < end || span.End < span.Start || span.End > len(msg) {
			t.Fatalf("%q: spans overlap or leave the message: %v", msg, m.Spans)
		}
		end = span.End
	}
}

func TestTrailingZerosAndLineEndsAreNotRead(t *testing.T) {
	s := Scanner{Location: time.UTC}
	m := s.Parse([]byte("<34>Feb 11 22:14:15 host su: text\x00\x00\r\n"), receipt.UnixMicro())
	if m.Text != "text" {
		t.Errorf("text %q", m.Text)
	}
}
