package relay

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
	"kinesyslog/internal/listen"
)

// allowInterval is how often the files of --allow are read, to see whether they
// have changed.
const allowInterval = 2 * time.Second

// allowed are the networks that may send: those of the configuration and those
// of the files that it names, as these were last when they could be used.
type allowed struct {
	fixed     []netip.Prefix
	files     []string
	log       *slog.Logger
	good, bad prometheus.Counter

	in atomic.Pointer[func(netip.Addr) bool]

	mu      sync.Mutex // one reading at a time
	last    []netip.Prefix
	problem string // what was wrong at the last reading, to be said once
}

// openAllowed reads the files. It returns nil if everybody may send.
func openAllowed(cfg *config.Listen, registry prometheus.Registerer, log *slog.Logger) (*allowed, error) {
	if len(cfg.Allow)+len(cfg.AllowFiles) == 0 {
		return nil, nil
	}
	rereads := func(result string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "kinesyslog", Name: "allow_reloads_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "Times that files of --allow had changed, by whether they could be used.",
		})
	}
	a := &allowed{fixed: cfg.Allow, files: cfg.AllowFiles, log: log, good: rereads("ok"), bad: rereads("failed")}
	for _, c := range []prometheus.Collector{a.good, a.bad} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	networks, err := a.read()
	if err != nil {
		return nil, err
	}
	a.use(networks)
	return a, nil
}

func (a *allowed) read() ([]netip.Prefix, error) {
	networks := slices.Clone(a.fixed)
	for _, file := range a.files {
		more, err := config.ReadNetworks(file)
		if err != nil {
			return nil, err
		}
		networks = append(networks, more...)
	}
	return networks, nil
}

func (a *allowed) use(networks []netip.Prefix) {
	in := listen.Networks(networks)
	a.last = networks
	a.in.Store(&in)
}

// function is what listeners ask; nil if everybody may send.
func (a *allowed) function() func(netip.Addr) bool {
	if a == nil {
		return nil
	}
	return func(ip netip.Addr) bool { return (*a.in.Load())(ip) }
}

// reload reads the files again. If they cannot be used, what was read before
// stays, and the log says why. Connections stay as they are.
func (a *allowed) reload() {
	a.mu.Lock()
	defer a.mu.Unlock()
	networks, err := a.read()
	switch {
	case err != nil:
		if a.problem != err.Error() {
			a.problem = err.Error()
			a.bad.Inc()
			a.log.Error("networks of --allow were not reread; those read before stay in use", "error", err)
		}
		return
	case a.problem == "" && slices.Equal(networks, a.last):
		return
	}
	a.problem = ""
	a.use(networks)
	a.good.Inc()
	a.log.Info("networks of --allow were reread", "networks", len(networks))
}

// watch rereads files that have changed until ctx is done.
func (a *allowed) watch(ctx context.Context) {
	tick := time.NewTicker(allowInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.reload()
		}
	}
}
