package relay

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
	"kinesyslog/internal/upload"
)

// allowInterval is how often the files of --allow are read, to see whether they
// have changed.
const allowInterval = 2 * time.Second

// allowed are the networks that may send, for each listener. A nil allowed lets
// everybody send to all.
type allowed struct {
	cfg   *config.Listen
	lists map[string]*allowlist // by config.Allowed.Listener
}

// openAllowed reads the files. It returns nil if everybody may send.
func openAllowed(cfg *config.Listen, registry prometheus.Registerer, log *slog.Logger) (*allowed, error) {
	if len(cfg.Allow) == 0 {
		return nil, nil
	}
	rereads := func(result string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "kinesyslog", Name: "allow_reloads_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "Times that files of --allow had changed, by whether they could be used. A file that is named for several listeners counts for each.",
		})
	}
	good, bad := rereads("ok"), rereads("failed")
	for _, c := range []prometheus.Collector{good, bad} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	a := &allowed{cfg: cfg, lists: map[string]*allowlist{}}
	for _, networks := range cfg.Allow {
		l, err := openAllowlist(networks, good, bad, log)
		if err != nil {
			return nil, err
		}
		a.lists[networks.Listener] = l
	}
	return a, nil
}

// function is what a listener asks; nil if everybody may send to it.
func (a *allowed) function(kind string, port int) func(netip.Addr) bool {
	if a == nil {
		return nil
	}
	networks := a.cfg.AllowedTo(fmt.Sprintf("%s/%d", kind, port))
	if networks == nil {
		return nil
	}
	return a.lists[networks.Listener].holds
}

// reload reads all files again. Where one cannot be used, what the listeners
// that it is named for had before stays; others have what was read.
func (a *allowed) reload() {
	for _, l := range a.lists {
		l.reload()
	}
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

// networksTold is how many networks of a listener check names.
const networksTold = 5

// checkAllowed tells of each listener who may send to it, where --allow names
// anybody.
func checkAllowed(cfg *config.Listen, add func(upload.Level, string)) {
	if len(cfg.Allow) == 0 {
		return
	}
	failed := map[string]bool{} // what was said already, of networks that several listeners share
	for _, listener := range cfg.NetworkListeners() {
		a := cfg.AllowedTo(listener)
		if a == nil {
			add(upload.Fine, listener+" takes messages of every address")
			continue
		}
		networks, err := a.Read()
		if err != nil {
			if !failed[err.Error()] {
				failed[err.Error()] = true
				add(upload.Failure, err.Error())
			}
			continue
		}
		var names []string
		for _, p := range networks[:min(len(networks), networksTold)] {
			names = append(names, p.String())
		}
		if more := len(networks) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		add(upload.Fine, listener+" takes messages of "+strings.Join(names, ", "))
	}
}
