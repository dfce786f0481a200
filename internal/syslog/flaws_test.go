package syslog

import (
	"testing"
	"time"
)

func TestWhatIsNotUnderstoodIsNamed(t *testing.T) {
	for _, c := range []struct {
		msg  string
		want Flaws
	}{
		{"<34>Feb 11 22:14:15 host su: all there", 0},
		{"<34>1 2026-02-11T22:14:15Z host su - - - all there", 0},
		{"<34>1 - host su - - - nobody says when", 0},
		{"<189>date=2026-02-11 time=22:14:15 devname=\"fgt-1\" the text has the time", 0},
		{"CEF:0|Acme|Wall|1.0|100|blocked|7|rt=Feb 11 2026 22:14:15 UTC", 0},
		{"plain text", NoHeader},
		{"", NoHeader},
		{"{\"level\":\"info\"}", NoHeader},
		{"Feb 11 22:14:15 host su: no PRI", NoPRI},
		{"<999>Feb 11 22:14:15 host su: PRI above 191", BadPRI},
		{"<999>text", BadPRI},
		{"<x>Feb 11 22:14:15 host su: no number", BadPRI},
		{"<34>su: no time", NoTime},
		{"<189>84: router1: 1w2d: %SYS-5-CONFIG_I: never set", NoTime},
		{"<34>1 2026-02-30T22:14:15Z host su - - - no such day", BadTime | Malformed5424},
		{"<34>1 2026-02-11 22:14:15 host su - - - a space", Malformed5424},
	} {
		s := Scanner{Location: time.UTC}
		if got := s.Scan([]byte(c.msg), receipt.UnixMicro()).Flaws; got != c.want {
			t.Errorf("%s: flaws %b, want %b", c.msg, got, c.want)
		}
	}
}
