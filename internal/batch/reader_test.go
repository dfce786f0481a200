package batch

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"kinesyslog/internal/event"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func TestEachSendersTimeIsReadInItsZone(t *testing.T) {
	oslo, tokyo := zone(t, "Europe/Oslo"), zone(t, "Asia/Tokyo")
	asked := 0
	r := NewReader(Rules{Location: time.UTC, ZoneOf: func(address string) *time.Location {
		asked++
		return map[string]*time.Location{"192.0.2.1": oslo, "192.0.2.2": tokyo, "192.0.2.3": oslo}[address]
	}})
	wall := time.Date(2023, 11, 14, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		address string
		hours   int
	}{{"192.0.2.1", 1}, {"192.0.2.2", 9}, {"192.0.2.3", 1}} {
		r.From(event.NewSource("udp/514", "syslog", "514", c.address))
		for range 3 {
			at, _, why := r.Read(received, []byte("<13>Nov 14 12:00:00 host app: text"))
			if want := wall.Add(time.Duration(-c.hours) * time.Hour).UnixMicro(); at != want || why != 0 {
				t.Errorf("%s: %s, reasons %b", c.address, time.UnixMicro(at).UTC(), why)
			}
		}
	}
	if asked != 3 {
		t.Errorf("the zone was asked for %d times for 3 senders", asked)
	}
	if len(r.scanners) != 2 {
		t.Errorf("%d scanners for 2 zones", len(r.scanners))
	}
}

func TestTimesFarFromReceiptAreReplacedAndNamed(t *testing.T) {
	for _, c := range []struct {
		format, text string
		at           int64
		why          Reasons
	}{
		{"syslog", "<13>1 2023-11-14T20:13:21Z h a - - - within two hours", 1_699_992_801_000_000, 0},
		{"syslog", "<13>1 2023-11-14T20:13:19Z h a - - - not within", received, SkewedTime},
		{"syslog", "<13>1 2023-11-14T23:13:21Z h a - - - more than an hour ahead", received, SkewedTime},
		{"gelf", `{"short_message":"b","timestamp":1699992801}`, 1_699_992_801_000_000, 0},
		{"gelf", `{"short_message":"b","timestamp":1699992799}`, received, SkewedTime},
		{"gelf", `{"short_message":"b","timestamp":1700003601}`, received, SkewedTime},
		{"gelf", `{"short_message":"b"`, received, MalformedGELF},
		{"gelf", `{"short_message":"b"}`, received, 0},
	} {
		r := NewReader(Rules{Location: time.UTC, MaxPast: 2 * time.Hour, MaxFuture: time.Hour})
		r.From(event.NewSource("udp/514", c.format, "514", "192.0.2.7"))
		at, header, why := r.Read(received, []byte(c.text))
		if at != c.at || why != c.why || header != nil {
			t.Errorf("%s: time %d, reasons %b, header %q; want time %d, reasons %b", c.text, at, why, header, c.at, c.why)
		}
	}
}

func TestEveryReasonHasAName(t *testing.T) {
	all := NoHeader | NoPRI | BadPRI | NoTime | BadTime | Malformed5424 | SkewedTime | MalformedGELF | InvalidUTF8
	want := []string{"no_header", "no_pri", "bad_pri", "no_time", "bad_time", "malformed_5424", "skewed_time", "malformed_gelf", "invalid_utf8"}
	if got := slices.Collect(all.Names()); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestBytesThatAreNotUTF8AreFoundAnywhere(t *testing.T) {
	r := NewReader(Rules{Location: time.UTC})
	r.From(event.NewSource("udp/514", "syslog", "514", "192.0.2.7"))
	text := []byte("<13>1 2023-11-14T22:13:20Z h a - - - a text of more than sixty-four bytes, all of them ASCII")
	for i := 37; i < len(text); i++ {
		hurt := bytes.Clone(text)
		hurt[i] = 0xff
		if _, _, why := r.Read(received, hurt); why != InvalidUTF8 {
			t.Errorf("byte %d: reasons %b", i, why)
		}
		hurt = slices.Insert(bytes.Clone(text), i, []byte("\u00e9")...)
		if _, _, why := r.Read(received, hurt); why != 0 {
			t.Errorf("a letter that is not ASCII at byte %d: reasons %b", i, why)
		}
	}
}
