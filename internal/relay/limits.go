package relay

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"kinesyslog/internal/config"
	"kinesyslog/internal/listen"
)

const (
	// defaultConnections is enough for most, and costs some 300 MiB if all are
	// used.
	defaultConnections = 16 << 10
	// otherFiles are left for all that is not a connection of a sender: the
	// journal, the spool, connections to AWS, the admin port.
	otherFiles = 256
	// connectionShare is the part of a memory limit (GOMEMLIMIT) that messages
	// may take that are not whole yet, and leastConnectionMemory what they may
	// take in any case.
	connectionShare       = 4
	leastConnectionMemory = 1 << 20
	// fewestConnections are allowed whatever the limit of open files is.
	fewestConnections = 64
)

// newLimits makes the limits that all listeners share.
func newLimits(cfg *config.Listen, registry prometheus.Registerer, log *slog.Logger) (*listen.Limits, error) {
	opts, possible := limitOptions(cfg, maxFiles())
	if opts.Connections > possible {
		log.Warn("there can be fewer files than connections: raise the limit (LimitNOFILE, ulimit -n), or lower --max-connections",
			"max_connections", opts.Connections, "possible", possible)
	}
	opts.Registerer = registry
	opts.Memory = min(opts.Memory, max(leastConnectionMemory, memoryLimit()/connectionShare))
	return listen.NewLimits(opts)
}

// limitOptions decides what was left open: as many connections as there can be
// files, and three quarters of them for one sender, so that nobody can take all.
// It returns, too, how many connections there can be.
func limitOptions(cfg *config.Listen, files int) (opts listen.LimitOptions, possible int) {
	possible = max(fewestConnections, files-otherFiles)
	opts = listen.LimitOptions{
		Connections: cfg.MaxConnections, ConnectionsPerAddress: cfg.MaxConnectionsPerAddress,
		Memory: cfg.MaxConnectionMemory, Rate: cfg.RateLimit,
	}
	if opts.Connections == 0 {
		opts.Connections = min(defaultConnections, possible)
	}
	if opts.ConnectionsPerAddress == 0 {
		opts.ConnectionsPerAddress = max(1, opts.Connections*3/4)
	}
	return opts, possible
}

// maxFiles is how many files the process may have open.
func maxFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return otherFiles + fewestConnections
	}
	return int(min(limit.Cur, 1<<30))
}
