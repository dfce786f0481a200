package relay

import (
	"time"

	"kinesyslog/internal/admin"
)

// samples are the messages that were not understood, for the admin server.
func (r *Relay) samples() admin.Samples {
	all := admin.Samples{
		MaxPastSeconds:   int64(r.cfg.MaxPast / time.Second),
		MaxFutureSeconds: int64(r.cfg.MaxFuture / time.Second),
	}
	for _, s := range r.maker.Samples() {
		all.Samples = append(all.Samples, admin.Sample{
			Reason: s.Reason, Received: time.UnixMicro(s.Received).UTC(), Listener: s.Source.Listener, Format: s.Source.Format,
			Port: s.Source.Port, Address: s.Source.Address, Zone: r.cfg.ZoneOf(s.Source.Address).String(),
			Bytes: s.Bytes, Raw: s.Text,
		})
	}
	return all
}
