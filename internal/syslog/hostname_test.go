package syslog

import (
	"testing"
	"time"
)

func agreesWithParse(tb testing.TB, msg []byte) {
	tb.Helper()
	s := Scanner{Location: time.UTC}
	m := s.Parse(msg, receipt.UnixMicro())
	want := m.Hostname
	if m.HostInBody {
		want = ""
	}
	if got := string(Hostname(msg)); got != want {
		tb.Errorf("%q: host %q, Parse says %q", msg, got, want)
	}
}

func TestHostnameIsThatOfTheHeaderAsParseHasIt(t *testing.T) {
	for _, msg := range ownMessages(t) {
		agreesWithParse(t, msg)
	}
	for text, want := range map[string]string{
		"<13>1 2026-02-12T06:26:00Z fw1.example.com app - - - text":     "fw1.example.com",
		"<13>1 - fw1 app - - [a b=\"c\"] text":                          "fw1",
		"<13>1 - fw1 app - - [broken text":                              "fw1",
		"<13>1 - - app - - - text":                                      "",
		"<13>Feb 12 06:26:00 fw2 sshd[1]: text":                         "fw2",
		"<13>Feb 12 06:26:00 sshd[1]: text":                             "",
		"<13>Feb 12 06:26:00 Message forwarded from fw3: sshd[1]: text": "fw3",
		"<13>Feb 12 06:26:00 last message repeated 3 times":             "",
		"<13>text": "",
		"text":     "",
		"":         "",
		"<13>Feb 12 06:26:00 2001:db8::1 sshd[1]: text": "2001:db8::1",
	} {
		agreesWithParse(t, []byte(text))
		if got := string(Hostname([]byte(text))); got != want {
			t.Errorf("%q: host %q, want %q", text, got, want)
		}
	}
}

func TestHostnameOfTheCorpusIsAsParseHasIt(t *testing.T) {
	for _, msg := range corpusMessages(t) {
		agreesWithParse(t, msg)
	}
}

func TestHostnameAllocatesNothing(t *testing.T) {
	all := ownMessages(t)
	if n := testing.AllocsPerRun(10, func() {
		for _, msg := range all {
			Hostname(msg)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHostname(b *testing.B) {
	all := ownMessages(b)
	for name, msg := range map[string][]byte{"rfc5424": all[0], "rfc3164": all[8]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Hostname(msg)
			}
		})
	}
}

func FuzzHostnameIsAsParseHasIt(f *testing.F) {
	for _, msg := range ownMessages(f) {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, msg []byte) { agreesWithParse(t, msg) })
}
