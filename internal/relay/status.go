package relay

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/admin"
	"kinesyslog/internal/upload"
)

// notReady tells why the relay is not ready, a sentence each.
func (r *Relay) notReady() (reasons []string) {
	if r.stopping.Load() {
		reasons = append(reasons, "the relay is shutting down: no more messages are taken")
	}
	if why := r.intakeStopped(); why != "" {
		reasons = append(reasons, why)
	}
	if s := r.uploader.State(); !s.Ready {
		reasons = append(reasons, r.trouble(s))
	}
	return reasons
}

// intakeStopped says why no messages are taken in, and what to do; "" while they
// are.
func (r *Relay) intakeStopped() string {
	full, refused := r.budget.Trouble()
	switch {
	case refused != nil:
		return fmt.Sprintf("the disk under %s refuses writes: %v: nothing is taken in until it does; make room or look at the disk (df, dmesg)",
			r.cfg.SpoolDir, refused)
	case full:
		return fmt.Sprintf("%s holds %d bytes, which is as much as --spool-max-bytes lets in; TCP senders wait, UDP messages are dropped: see why nothing is delivered, or raise it",
			r.cfg.SpoolDir, r.budget.used.Load())
	}
	return ""
}

// trouble says what is wrong with the delivery and what to do; "" if nothing is.
func (r *Relay) trouble(s upload.State) string {
	if s.Reason == "" {
		return ""
	}
	text := fmt.Sprintf("stream %s takes nothing since %s: %s", r.cfg.Stream, s.Since.UTC().Format(time.RFC3339), s.Reason)
	if s.Code != "" {
		text += " (" + s.Code + ")"
	}
	return text + ": " + s.Hint
}

// status is the state for the status page.
func (r *Relay) status() admin.Status {
	s, u := r.spool.Stats(), r.uploader.State()
	st := admin.Status{
		Stream: r.cfg.Stream, Region: r.aws.Region(),
		Spool: admin.Spool{
			Dir: r.cfg.SpoolDir, Bytes: r.budget.used.Load(), MaxBytes: r.budget.limit,
			Records: s.Records, DeadLetters: s.DeadLetters, Oldest: s.Oldest,
		},
		Bill: r.bill(), Compression: admin.Compression{Level: r.compression.Level(), Auto: r.compression.auto()},
		Upload: admin.Upload{State: "idle", Reason: r.trouble(u), InFlight: u.InFlight, LastDelivery: u.LastSuccess},
	}
	switch {
	case !u.Ready:
		st.Upload.State = "retrying"
	case u.InFlight > 0:
		st.Upload.State = "delivering"
	}
	for _, l := range r.listeners {
		fingerprint := l.told.Fingerprint
		if l.told.TLS {
			fingerprint = r.fingerprint() // it may be a newer one by now
		}
		st.Listeners = append(st.Listeners, admin.Listener{
			Name: l.told.Name, Network: l.told.Network, Address: l.told.Address, Fingerprint: fingerprint,
		})
	}
	return st
}

// registerDisk exports what is used of the disk.
func (r *Relay) registerDisk() {
	b := r.budget
	gauge := func(name, help string, value func() float64) {
		r.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("kinesyslog_disk_used_bytes", "Bytes of journal, spool and dead letters.", func() float64 { return float64(b.used.Load()) })
	gauge("kinesyslog_disk_limit_bytes", "What they may use together: --spool-max-bytes.", func() float64 { return float64(b.limit) })
	gauge("kinesyslog_disk_full_seconds", "Time until nothing is taken in any more, at the present rate; +Inf if the use does not grow.", r.forecast.seconds)
	gauge("kinesyslog_intake_stopped", "1 while nothing is taken in for want of disk.", func() float64 {
		if b.Full() {
			return 1
		}
		return 0
	})
}
