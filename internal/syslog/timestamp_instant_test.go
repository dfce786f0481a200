package syslog

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the test does not depend on the machine's zones
)

func location(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func at(tb testing.TB, text string) time.Time {
	tb.Helper()
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestTimeWithoutYearIsInTheYearNearestToReceipt(t *testing.T) {
	for _, c := range []struct{ sent, received, want string }{
		{"Dec 31 23:59:59", "2026-01-01T00:00:05Z", "2025-12-31T23:59:59Z"}, // last year's, delivered in this
		{"Jan  1 00:00:02", "2025-12-31T23:59:58Z", "2026-01-01T00:00:02Z"}, // a clock that is ahead
		{"Dec  1 00:00:00", "2026-01-20T00:00:00Z", "2025-12-01T00:00:00Z"},
		{"Jan 20 00:00:00", "2025-12-01T00:00:00Z", "2026-01-20T00:00:00Z"},
		{"Feb 11 12:00:00", "2026-02-11T12:00:00Z", "2026-02-11T12:00:00Z"},
		{"Aug 13 12:00:00", "2026-02-11T12:00:00Z", "2025-08-13T12:00:00Z"}, // 182 days back, 183 ahead
		{"Aug 12 11:00:00", "2026-02-11T12:00:00Z", "2026-08-12T11:00:00Z"},
		{"Aug 12 23:59:59", "2026-02-11T12:00:00Z", "2026-08-12T23:59:59Z"},
		{"Jul  2 12:00:00", "2025-12-31T23:00:00Z", "2025-07-02T12:00:00Z"},
		{"Feb 29 10:00:00", "2024-02-29T10:00:01Z", "2024-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2024-03-01T00:00:00Z", "2024-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2025-02-28T00:00:00Z", "2024-02-29T10:00:00Z"}, // there is none in 2025
		{"Feb 29 10:00:00", "2027-06-01T00:00:00Z", "2028-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2100-02-28T00:00:00Z", "2096-02-29T10:00:00Z"}, // nor in 2100; 2104 is as far away
		{"Mar  1 00:30:00 +1200", "2026-02-28T12:30:00Z", "2026-02-28T12:30:00Z"},
		{"Jan  1 00:30:00 +1200", "2025-12-31T12:30:00Z", "2025-12-31T12:30:00Z"},
		{"Dec 31 23:30:00 -0800", "2026-01-01T07:30:00Z", "2026-01-01T07:30:00Z"},
	} {
		s := Scanner{Location: time.UTC}
		got := s.Scan([]byte("<14>"+c.sent+" host app: text"), at(t, c.received).UnixMicro())
		if want := at(t, c.want); got.Time != want.UnixMicro() || got.TimeSource != Header {
			t.Errorf("%s received %s: %s, want %s", c.sent, c.received, time.UnixMicro(got.Time).UTC(), want)
		}
	}
}

func TestNewYearPassesWhileOneScannerRuns(t *testing.T) {
	s := Scanner{Location: time.UTC}
	start := at(t, "2025-12-30T00:00:00Z")
	for minutes := range 4 * 24 * 60 {
		sent := start.Add(time.Duration(minutes) * time.Minute)
		for _, lag := range []time.Duration{-time.Hour, 0, 40 * time.Hour} {
			got := s.Scan([]byte(sent.Format("<14>Jan _2 15:04:05 host app: text")), sent.Add(lag).UnixMicro())
			if got.Time != sent.UnixMicro() {
				t.Fatalf("sent %s, received %s later: %s", sent, lag, time.UnixMicro(got.Time).UTC())
			}
		}
	}
}

func TestClocksPutForwardAndBack(t *testing.T) {
	for _, c := range []struct{ zone, sent, received, want string }{
		// Put forward: 02:30 does not happen and becomes 03:30.
		{"Europe/Oslo", "2026-03-29 01:59:59", "2026-03-29T01:00:00Z", "2026-03-29T00:59:59Z"},
		{"Europe/Oslo", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z"},
		{"Europe/Oslo", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"America/New_York", "2026-03-08 02:15:00", "2026-03-08T07:15:00Z", "2026-03-08T07:15:00Z"},
		{"Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00Z", "2026-10-03T15:45:00Z"}, // half an hour
		{"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00Z", "2011-12-30T22:00:00Z"},        // a whole day
		// Put back: 02:30 happens twice, and the one nearer to receipt counts.
		{"Europe/Oslo", "2026-10-25 02:30:00", "2026-10-25T00:30:05Z", "2026-10-25T00:30:00Z"},
		{"Europe/Oslo", "2026-10-25 02:30:00", "2026-10-25T01:30:05Z", "2026-10-25T01:30:00Z"},
		{"Europe/Oslo", "2026-10-25 02:30:00 CEST", "2026-10-25T01:30:05Z", "2026-10-25T00:30:00Z"}, // said
		{"Europe/Oslo", "2026-10-25 01:59:59", "2026-10-25T00:00:00Z", "2026-10-24T23:59:59Z"},
		{"Europe/Oslo", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"},
		{"America/New_York", "2026-11-01 01:30:00", "2026-11-01T06:31:00Z", "2026-11-01T06:30:00Z"},
	} {
		s := Scanner{Location: location(t, c.zone)}
		for range 2 { // the second time with what was remembered
			got := s.Scan([]byte("<14>"+c.sent+" host app: text"), at(t, c.received).UnixMicro())
			if want := at(t, c.want); got.Time != want.UnixMicro() {
				t.Errorf("%s in %s: %s, want %s", c.sent, c.zone, time.UnixMicro(got.Time).UTC(), want)
			}
		}
	}
}

// What a Scanner remembers must never show: one that has read many times
// answers as the definition does.
func TestRememberedOffsetsAgreeWithTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, zone := range []string{"Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Australia/Lord_Howe", "UTC"} {
		loc := location(t, zone)
		s := Scanner{Location: loc}
		for range 20_000 {
			wall := time.Unix(r.Int64N(70*365*aDay), 0).UTC()
			received := wall.Add(time.Duration(r.Int64N(int64(6*time.Hour))) - 3*time.Hour)
			got := s.Scan([]byte(wall.Format("<14>2006-01-02 15:04:05 host app: text")), received.UnixMicro())
			if want := definedInstant(wall, loc, received); got.Time != want.UnixMicro() {
				t.Fatalf("%s in %s received %s: %s, want %s", wall, zone, received, time.UnixMicro(got.Time).UTC(), want)
			}
		}
	}
}

// definedInstant finds the instant of a wall-clock time by trying all offsets.
func definedInstant(wall time.Time, loc *time.Location, received time.Time) time.Time {
	var best time.Time
	found := false
	shown := wall.Format(time.DateTime)
	for quarters := -16 * 4; quarters <= 16*4; quarters++ {
		u := wall.Add(time.Duration(quarters) * 15 * time.Minute)
		if u.In(loc).Format(time.DateTime) != shown {
			continue
		}
		if !found || u.Sub(received).Abs() < best.Sub(received).Abs() {
			best, found = u, true
		}
	}
	if found {
		return best
	}
	_, before := wall.Add(-24 * time.Hour).In(loc).Zone()
	return wall.Add(-time.Duration(before) * time.Second).UTC()
}

func TestDayCountsAgreeWithTheStandardLibrary(t *testing.T) {
	for days := int64(-700_000); days < 900_000; days += 17 {
		want := time.Unix(days*aDay, 0).UTC()
		year, month, day := civil(days)
		if int(year) != want.Year() || month != int(want.Month()) || day != want.Day() {
			t.Fatalf("day %d: %d-%d-%d, want %s", days, year, month, day, want)
		}
		if got := daysToYear(year) + dayOfYear(year, int8(month), int8(day)); year >= 1 && got != days {
			t.Fatalf("%s: day %d, want %d", want, got, days)
		}
		if got := dayOfYear(year, int8(month), int8(day)); got != int64(want.YearDay()-1) {
			t.Fatalf("%s: day of year %d", want, got)
		}
	}
}

func TestTimeFarFromReceiptIsNotBelieved(t *testing.T) {
	s := Scanner{Location: time.UTC, MaxPast: 30 * 24 * time.Hour, MaxFuture: 24 * time.Hour}
	now := receipt.UnixMicro()
	for sent, skewed := range map[string]bool{
		"2026-02-12T06:26:00Z": false,
		"2026-01-13T06:26:00Z": false, // 30 days
		"2026-01-13T06:25:59Z": true,
		"2026-02-13T06:26:00Z": false, // 1 day
		"2026-02-13T06:26:01Z": true,
		"1970-01-01T00:00:00Z": true,
		"9999-12-31T23:59:59Z": true,
		"0001-01-01T00:00:00Z": true,
		"Jan  1 00:00:10":      true, // a clock that was never set
	} {
		msg := []byte("<14>" + sent + " host app: text")
		got := s.Scan(msg, now)
		if got.Skewed != skewed || skewed != (got.TimeSource == Received) || skewed && got.Time != now {
			t.Errorf("%s: %+v", sent, got)
		}
		if m := s.Parse(msg, now); m.Timestamp == "" || m.TimestampSource != Header || m.Scan != got {
			t.Errorf("%s: explain must keep the time that is not believed: %+v", sent, m)
		}
		unlimited := Scanner{Location: time.UTC}
		if got := unlimited.Scan(msg, now); got.Skewed || got.TimeSource != Header {
			t.Errorf("%s without limits: %+v", sent, got)
		}
	}
}
