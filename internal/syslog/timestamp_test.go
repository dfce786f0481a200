package syslog

import (
	"strings"
	"testing"
	"time"
)

// Each form stands where a header has its time, and a host and a tag follow.
func TestEveryFormOfTimeIsRead(t *testing.T) {
	for form, want := range map[string]string{
		// BSD, with the liberties devices take
		"Feb 11 22:14:15":               "2026-02-11T22:14:15",
		"Feb  1 22:14:15":               "2026-02-01T22:14:15",
		"Feb 1 22:14:15":                "2026-02-01T22:14:15",
		"Feb 01 22:14:15":               "2026-02-01T22:14:15",
		"Feb 11 9:04:05":                "2026-02-11T09:04:05",
		"Feb 11 22:14":                  "2026-02-11T22:14:00",
		"FEB 11 22:14:15":               "2026-02-11T22:14:15",
		"February 11 22:14:15":          "2026-02-11T22:14:15",
		"Sept 11 22:14:15":              "2025-09-11T22:14:15",
		"Feb 11 22:14:15.003":           "2026-02-11T22:14:15.003",
		"Feb 11 22:14:15,003":           "2026-02-11T22:14:15.003",
		"Feb 11 22:14:15.123456789":     "2026-02-11T22:14:15.123456789",
		"Feb 11 2025 22:14:15":          "2025-02-11T22:14:15",
		"Feb 11, 2025 22:14:15":         "2025-02-11T22:14:15",
		"Feb 11 2025:22:14:15":          "2025-02-11T22:14:15",
		"Feb 11 22:14:15 2025":          "2025-02-11T22:14:15",
		"Feb 11 22:14:15:123 2025":      "2025-02-11T22:14:15.123",
		"2025 Feb 11 22:14:15":          "2025-02-11T22:14:15",
		"2025 Feb  1 22:14:15.5":        "2025-02-01T22:14:15.5",
		"2025 February 11 22:14:15":     "2025-02-11T22:14:15",
		"Tue Feb 11 22:14:15 2025":      "2025-02-11T22:14:15",
		"Tue Feb 11 22:14:15 UTC 2025":  "2025-02-11T22:14:15Z",
		"Tue, 11 Feb 2025 22:14:15 GMT": "2025-02-11T22:14:15Z",
		"11 Feb 2025 22:14:15":          "2025-02-11T22:14:15",
		"11-Feb-2025 22:14:15":          "2025-02-11T22:14:15",
		"11/Feb/2025:22:14:15 +0100":    "2025-02-11T22:14:15+01:00",
		"Feb 11 2025 10:14:15 PM":       "2025-02-11T22:14:15",
		"Feb 11 2025 12:14:15 AM":       "2025-02-11T00:14:15",
		"Feb 11 2025 10:14:15 PM.484":   "2025-02-11T22:14:15.484",
		// zones
		"Feb 11 22:14:15 UTC":           "2026-02-11T22:14:15Z",
		"Feb 11 22:14:15Z":              "2026-02-11T22:14:15Z",
		"Feb 11 22:14:15 +0530":         "2026-02-11T22:14:15+05:30",
		"Feb 11 22:14:15-07:00":         "2026-02-11T22:14:15-07:00",
		"Feb 11 22:14:15 +02":           "2026-02-11T22:14:15+02:00",
		"Feb 11 22:14:15 GMT+02:00":     "2026-02-11T22:14:15+02:00",
		"Feb 11 22:14:15 UTC-7":         "2026-02-11T22:14:15-07:00",
		"Feb 11 22:14:15 JST":           "2026-02-11T22:14:15+09:00 usual",
		"Feb 11 22:14:15CET 2025":       "2025-02-11T22:14:15+01:00 usual",
		"Feb 11 22:14:15 CEST 2025":     "2025-02-11T22:14:15+02:00 usual",
		"Feb 11 22:14:15 EST":           "2026-02-11T22:14:15",
		"Feb 11 22:14:15 TZ-6":          "2026-02-11T22:14:15",
		"Feb 11 2025 22:14:15+0200 DST": "2025-02-11T22:14:15+02:00",
		// ISO 8601 and what resembles it
		"2025-02-11T22:14:15Z":          "2025-02-11T22:14:15Z",
		"2025-02-11t22:14:15z":          "2025-02-11T22:14:15Z",
		"2025-02-11T22:14:15":           "2025-02-11T22:14:15",
		"2025-02-11T22:14:15.003+01:00": "2025-02-11T22:14:15.003+01:00",
		"2025-02-11T22:14:15+0100":      "2025-02-11T22:14:15+01:00",
		"2025-02-11T22:14:15-01":        "2025-02-11T22:14:15-01:00",
		"2025-02-11T22:14Z":             "2025-02-11T22:14:00Z",
		"2025-02-11 22:14:15":           "2025-02-11T22:14:15",
		"2025-02-11  22:14:15,250":      "2025-02-11T22:14:15.250",
		"2025-02-11 22:14:15.631 +0000": "2025-02-11T22:14:15.631Z",
		"2025-02-11 22:14:15 UTC":       "2025-02-11T22:14:15Z",
		"2025-02-11_22:14:15":           "2025-02-11T22:14:15",
		"2025/02/11 22:14:15":           "2025-02-11T22:14:15",
		"2025/2/1 22:14:15":             "2025-02-01T22:14:15",
		"2025/02/11:22:14:15 GMT":       "2025-02-11T22:14:15Z",
		"2025:02:11-22:14:15":           "2025-02-11T22:14:15",
		"20250211T221415Z":              "2025-02-11T22:14:15Z",
		// dates in digits, either way round
		"02/17/2025:22:14:15":     "2025-02-17T22:14:15",
		"17/02/2025:22:14:15 GMT": "2025-02-17T22:14:15Z",
		"17.02.2025 22:14:15":     "2025-02-17T22:14:15",
		"02/11/2026 22:14:15":     "2026-02-11T22:14:15", // received in February 2026
		"11/02/2026 22:14:15":     "2026-02-11T22:14:15",
		// seconds since 1970
		"1739312055":           "2025-02-11T22:14:15Z",
		"1739312055.583851938": "2025-02-11T22:14:15.583851938Z",
		"1739312055123":        "2025-02-11T22:14:15.123Z",
		// the edges of the day
		"2025-12-31T24:00:00Z": "2026-01-01T00:00:00Z",
		"2016-12-31T23:59:60Z": "2017-01-01T00:00:00Z",
		"Feb 29 12:00:00":      "2024-02-29T12:00:00",
	} {
		t.Run(form, func(t *testing.T) {
			s := Scanner{Location: time.UTC}
			m := s.Parse([]byte("<14>"+form+" host app[7]: text"), receipt.UnixMicro())
			wall, usual := strings.CutSuffix(want, " usual")
			zoned := strings.Contains(wall[10:], "Z") || strings.ContainsAny(wall[19:], "+-")
			if !zoned {
				wall += "Z" // Location is UTC here
			}
			if m.Timestamp != wall || m.TimestampSource != Header || m.TimestampZoneKnown != (zoned && !usual) {
				t.Errorf("time %s from %s, zone known %t; want %s", m.Timestamp, m.TimestampSource, m.TimestampZoneKnown, want)
			}
			if m.Hostname != "host" || m.AppName != "app" || m.ProcID != "7" || m.Text != "text" {
				t.Errorf("host %q, app %q, pid %q, text %q", m.Hostname, m.AppName, m.ProcID, m.Text)
			}
		})
	}
}

func TestWhatIsNoTimeIsNotTakenForOne(t *testing.T) {
	for _, form := range []string{
		"Feb 30 22:14:15", "Feb 32 22:14:15", "Feb 0 22:14:15", "Feb 29 2025 22:14:15", "Foo 11 22:14:15", "Feb 11 24:14:15",
		"Feb 11 22:60:15", "Feb 11 22:14:61", "Feb 11", "Feb 11 22", "Feb 11 22:1", "2025-13-11T22:14:15Z", "2025-02-29T22:14:15Z",
		"2025-02-11", "2025-02-11T", "2025-02-11T22:14:15ZZ", "0000-02-11T22:14:15Z", "32/13/2025 22:14:15", "02/30/2025:22:14:15",
		"173931205", "17393120555", "9999999999", "12:14:15", "00:01:01:", "192.0.2.1", "10.0.0.1:514", "Mars 11 22", "Sun", "Mon 1",
	} {
		s := Scanner{Location: time.UTC}
		if got := s.Scan([]byte("<14>"+form+" x y"), receipt.UnixMicro()); got.TimeSource != Received || got.Time != receipt.UnixMicro() {
			t.Errorf("%q: time %s from %s", form, time.UnixMicro(got.Time).UTC(), got.TimeSource)
		}
	}
}

// A zone word may also be a host, so words that are not zones must stay hosts.
func TestHostInCapitalsIsNoZone(t *testing.T) {
	for _, host := range []string{"PA", "VAULT", "SW01", "UTC-gateway", "EST.example.net", "DB", "pm", "Z1", "2001:db8::17"} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte("<14>Feb 11 22:14:15 "+host+" app: text"), receipt.UnixMicro())
		if m.Hostname != host || m.Timestamp != "2026-02-11T22:14:15Z" {
			t.Errorf("%s: host %q, time %s", host, m.Hostname, m.Timestamp)
		}
	}
}
