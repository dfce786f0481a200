package syslog

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

func TestHeaderForMessagesWithoutPRI(t *testing.T) {
	for _, c := range []struct {
		at      time.Time
		address string
		want    string
	}{
		{time.Date(2018, 2, 21, 21, 7, 50, 239881000, time.UTC), "192.0.2.7", "x<13>1 2018-02-21T21:07:50.239881Z 192.0.2.7 - - - - "},
		{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), "2001:db8::7", "x<13>1 2024-02-29T00:00:00.000000Z 2001:db8::7 - - - - "},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), "", "x<13>1 1969-12-31T23:59:59.999999Z - - - - - "},
	} {
		if got := string(AppendHeader([]byte("x"), DefaultPRI, c.at.UnixMicro(), c.address)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAppendedHeaderIsStrictRFC5424(t *testing.T) {
	parser := rfc5424.NewParser()
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		at := time.UnixMicro(r.Int64N(4_000_000_000_000_000)).UTC()
		pri := r.IntN(192)
		m, err := parser.Parse(append(AppendHeader(nil, pri, at.UnixMicro(), "192.0.2.7"), "text"...))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.(*rfc5424.SyslogMessage); !got.Timestamp.Equal(at) || *got.Hostname != "192.0.2.7" || *got.Message != "text" || int(*got.Priority) != pri {
			t.Fatalf("%s: %+v", at, got)
		}
	}
}

func TestAppendHeaderAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 128)
	if n := testing.AllocsPerRun(100, func() { AppendHeader(buf, 191, 1739312055583851, "192.0.2.7") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
