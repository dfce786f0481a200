package relay

import (
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
	"kinesyslog/internal/listen"
)

// allowlist are the networks that may send to one listener, or to all that have
// none of their own, as they were last when they could be used.
type allowlist struct {
	config.Allowed
	log       *slog.Logger
	good, bad prometheus.Counter // of rereading

	in atomic.Pointer[func(netip.Addr) bool]

	mu      sync.Mutex // one reading at a time
	last    []netip.Prefix
	problem string // what was wrong at the last reading, to be said once
}

// openAllowlist reads the files.
func openAllowlist(a config.Allowed, good, bad prometheus.Counter, log *slog.Logger) (*allowlist, error) {
	l := &allowlist{Allowed: a, log: log, good: good, bad: bad}
	if a.Listener != "" {
		l.log = log.With("listener", a.Listener)
	}
	networks, err := a.Read()
	if err != nil {
		return nil, err
	}
	l.use(networks)
	return l, nil
}

func (l *allowlist) use(networks []netip.Prefix) {
	in := listen.Networks(networks)
	l.last = networks
	l.in.Store(&in)
}

// holds tells whether an address may send. It may be called at any time.
func (l *allowlist) holds(ip netip.Addr) bool { return (*l.in.Load())(ip) }

// reload reads the files again. If they cannot be used, what was read before
// stays, and the log says why. Connections stay as they are.
func (l *allowlist) reload() {
	l.mu.Lock()
	defer l.mu.Unlock()
	networks, err := l.Read()
	switch {
	case err != nil:
		if l.problem != err.Error() {
			l.problem = err.Error()
			l.bad.Inc()
			l.log.Error("networks of --allow were not reread; those read before stay in use", "error", err)
		}
		return
	case l.problem == "" && slices.Equal(networks, l.last):
		return
	}
	l.problem = ""
	l.use(networks)
	l.good.Inc()
	l.log.Info("networks of --allow were reread", "networks", len(networks))
}
