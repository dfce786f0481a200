package syslog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	leodido "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/rfc3164"
	"github.com/leodido/go-syslog/v4/rfc5424"
)

// agreesWithLeodido5424 compares what both read, if go-syslog accepts msg. It
// returns whether it does.
func agreesWithLeodido5424(t *testing.T, parser leodido.Machine, msg []byte) bool {
	t.Helper()
	parsed, err := parser.Parse(msg)
	if err != nil || parsed == nil || !parsed.Valid() {
		return false
	}
	want := parsed.(*rfc5424.SyslogMessage)
	if want.Timestamp != nil && want.Timestamp.UTC().Year() < 1 || bytes.Contains(msg, []byte("1 0000-")) {
		return false // the year 0000, which we do not read
	}
	s := Scanner{Location: time.UTC}
	got := s.Parse(msg, receipt.UnixMicro())
	fail := func(field string, got, want any) {
		t.Helper()
		t.Errorf("%q: %s is %v, go-syslog says %v", msg, field, got, want)
	}
	if !got.Scan.HasPRI || got.Scan.PRI != int(*want.Priority) || got.Facility != int(*want.Facility) || got.Severity != int(*want.Severity) {
		fail("PRI", got.Scan.PRI, *want.Priority)
	}
	if got.Frame != FrameRFC5424 {
		fail("frame", got.Frame, FrameRFC5424)
	}
	if want.Timestamp == nil {
		if got.TimestampSource == Header {
			fail("timestamp", got.Timestamp, nil)
		}
	} else if got.Scan.Time != want.Timestamp.UnixMicro() || !got.TimestampZoneKnown {
		fail("timestamp", got.Timestamp, want.Timestamp)
	}
	host := got.Hostname
	if got.HostInBody {
		host = ""
	}
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	for field, pair := range map[string][2]string{
		"hostname": {host, text(want.Hostname)},
		"appname":  {got.AppName, text(want.Appname)},
		"procid":   {got.ProcID, text(want.ProcID)},
		"msgid":    {got.MsgID, text(want.MsgID)},
		"text":     {got.Text, string(TrimDatagram([]byte(strings.TrimPrefix(text(want.Message), "\xef\xbb\xbf"))))},
	} {
		if pair[0] != pair[1] {
			fail(field, pair[0], pair[1])
		}
	}
	elements := got.StructuredData()
	if want.StructuredData != nil && len(*want.StructuredData) != len(elements) || want.StructuredData == nil && len(elements) > 0 {
		fail("structured data", elements, want.StructuredData)
		return true
	}
	for id, params := range elements {
		for name, value := range params {
			if list, ok := value.([]string); ok {
				value = list[len(list)-1] // go-syslog keeps the last
			}
			if w := (*want.StructuredData)[id][name]; w != value {
				fail(fmt.Sprintf("parameter %s.%s", id, name), value, w)
			}
		}
	}
	return true
}

func TestWhereGoSyslogAcceptsRFC5424WeAgree(t *testing.T) {
	parser := rfc5424.NewParser()
	t.Run("generated", func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		accepted := 0
		for range 20_000 {
			if agreesWithLeodido5424(t, parser, randomRFC5424(r)) {
				accepted++
			}
		}
		if accepted < 10_000 {
			t.Errorf("only %d of the generated messages were accepted", accepted)
		}
	})
	t.Run("corpus", func(t *testing.T) {
		accepted := 0
		for _, msg := range corpusMessages(t) {
			if agreesWithLeodido5424(t, parser, msg) {
				accepted++
			}
		}
		t.Logf("go-syslog accepts %d of the corpus", accepted)
	})
}

// randomRFC5424 puts a message together from parts that are right, and some that
// are nearly right.
func randomRFC5424(r *rand.Rand) []byte {
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	stamp := time.Unix(r.Int64N(4_000_000_000), r.Int64N(1e9)).
		In(time.FixedZone("", (r.IntN(47*30)-23*30)*60)).
		Format(one("2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.9Z07:00", "2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05.000000Z07:00"))
	var sd strings.Builder
	for n := range r.IntN(4) {
		fmt.Fprintf(&sd, "[%s%d", one("a", "id@32473", "x.y-z"), n)
		for m := range r.IntN(4) {
			fmt.Fprintf(&sd, ` %s%d="%s"`, one("k", "some-name", "é"), m, one("", "v", `a\"b`, `\]`, `\\`, "two words", "⌘", `\n`, "[", "a=b"))
		}
		sd.WriteString("]")
	}
	if sd.Len() == 0 {
		sd.WriteString("-")
	}
	return fmt.Appendf(nil, "<%d>%d %s %s %s %s %s %s%s", r.IntN(192), 1+r.IntN(1+998*r.IntN(2)), one(stamp, stamp, stamp, "-"),
		one("-", "host", "192.0.2.1", "2001:db8::1", "a.b.example.net", "x/y"), one("-", "app", "#ILO4", "a:b"), one("-", "1", "pid"),
		one("-", "ID47", "TCPIN"), sd.String(),
		one("", " ", " text", "  text", " \xef\xbb\xbftext", " CEF:0|a|b|c|d|e|f|rt=1770848055000", ` {"time":"2026-02-11T22:14:15Z"}`, " a: b", " [x]"))
}

func TestWhereGoSyslogAcceptsRFC3164WeAgree(t *testing.T) {
	parser := rfc3164.NewParser(rfc3164.WithYear(rfc3164.Year{YYYY: 2024}))
	check := func(t *testing.T, msg []byte) bool {
		t.Helper()
		parsed, err := parser.Parse(msg)
		if err != nil || parsed == nil || !parsed.Valid() {
			return false
		}
		want := parsed.(*rfc3164.SyslogMessage)
		s := Scanner{Location: time.UTC}
		got := s.Parse(msg, receipt.UnixMicro())
		if got.Scan.PRI != int(*want.Priority) {
			t.Errorf("%q: PRI %d, go-syslog says %d", msg, got.Scan.PRI, *want.Priority)
		}
		// It takes the year it was told, we the nearest to receipt.
		const noYear = "01-02T15:04:05"
		if want.Timestamp != nil && time.UnixMicro(got.Scan.Time).UTC().Format(noYear) != want.Timestamp.Format(noYear) {
			t.Errorf("%q: time %s, go-syslog says %s", msg, got.Timestamp, want.Timestamp)
		}
		return true
	}
	t.Run("generated", func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		accepted := 0
		for range 5000 {
			stamp := time.Unix(r.Int64N(4_000_000_000), 0).UTC().Format(time.Stamp)
			msg := fmt.Appendf(nil, "<%d>%s host%d app[%d]: text", r.IntN(192), stamp, r.IntN(100), r.IntN(100))
			if check(t, msg) {
				accepted++
				s := Scanner{Location: time.UTC}
				m := s.Parse(msg, receipt.UnixMicro())
				parsed, _ := parser.Parse(msg)
				want := parsed.(*rfc3164.SyslogMessage)
				if m.Hostname != *want.Hostname || m.AppName != *want.Appname || m.ProcID != *want.ProcID || m.Text != *want.Message {
					t.Fatalf("%q: %s, go-syslog says %+v", msg, said(&m), want)
				}
			}
		}
		if accepted < 4000 {
			t.Errorf("only %d of the generated messages were accepted", accepted)
		}
	})
	t.Run("corpus", func(t *testing.T) {
		accepted := 0
		for _, msg := range corpusMessages(t) {
			if check(t, msg) {
				accepted++
			}
		}
		t.Logf("go-syslog accepts %d of the corpus", accepted)
	})
}
