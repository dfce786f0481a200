package access

import (
	"log/slog"
	"time"
)

const (
	// certificateNotice is how long before its end a certificate is warned of.
	certificateNotice = 30 * 24 * time.Hour
	// listNotice is the same for revocation lists, which come often.
	listNotice = 24 * time.Hour
)

// warn says what has expired or will soon.
func (s *Store) warn(now time.Time) {
	for _, c := range s.Certificates() {
		if left := c.Leaf.NotAfter.Sub(now); left < 0 {
			s.opts.Logger.Error("TLS certificate has expired, and clients that verify it do not connect: put a new one in its place, it is read at once",
				slog.String("file", c.File), slog.String("expired", day(c.Leaf.NotAfter)))
		} else if left < certificateNotice {
			s.opts.Logger.Warn("TLS certificate expires soon: put a new one in its place, it is read at once",
				slog.String("file", c.File), slog.String("expires", day(c.Leaf.NotAfter)), slog.Int("days", int(left.Hours()/24)))
		}
	}
	for _, l := range s.RevocationLists() {
		switch {
		case l.Expiry.IsZero():
		case l.expired(now):
			s.opts.Logger.Error("revocation list has expired, and clients of its authority are refused: put the new one in its place, it is read at once",
				slog.String("file", l.File), slog.String("expired", l.Expiry.UTC().Format(time.DateTime)))
		case l.expired(now.Add(listNotice)):
			s.opts.Logger.Warn("revocation list expires soon: put the new one in its place, it is read at once",
				slog.String("file", l.File), slog.String("expires", l.Expiry.UTC().Format(time.DateTime)))
		}
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
