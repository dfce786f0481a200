package relay

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
)

const (
	// lookEvery is how often --compression auto looks at the load.
	lookEvery = time.Second
	// shortestSpan and longestSpan bound for how long idle processors must have
	// been idle before more is asked of them.
	shortestSpan = 10 * time.Second
	longestSpan  = 2 * time.Minute
)

// compression tells workers the gzip level of the record they begin: a fixed
// one, or with --compression auto one that follows the load, up to 9 when
// processors are idle and down to 1 when the workers cannot keep up.
type compression struct {
	level   atomic.Int32
	working atomic.Int32 // workers that make records
	log     *slog.Logger

	// With auto only.
	ladder     *ladder
	processors *processors
	workers    int
	queued     func() int // generations that no worker has taken
}

func newCompression(cfg *config.Listen, workers int, queued func() int, log *slog.Logger, registry prometheus.Registerer) *compression {
	c := &compression{workers: workers, queued: queued, log: log}
	if cfg.Compression == config.AutoCompression {
		c.ladder = newLadder(int(min(max(cfg.FlushInterval, shortestSpan), longestSpan) / lookEvery))
		c.processors = newProcessors()
		c.level.Store(int32(c.ladder.level()))
	} else {
		c.level.Store(int32(cfg.Compression))
	}
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kinesyslog_compression_level", Help: "Gzip level of the records that are made now.",
	}, func() float64 { return float64(c.level.Load()) }))
	return c
}

// Level may be called at any time.
func (c *compression) Level() int { return int(c.level.Load()) }

// auto tells whether the level follows the load.
func (c *compression) auto() bool { return c.ladder != nil }

// during counts a worker as working while it does something.
func (c *compression) during(work func() error) error {
	c.working.Add(1)
	defer c.working.Add(-1)
	return work()
}

// run follows the load until ctx is done. Without auto there is nothing to do.
func (c *compression) run(ctx context.Context) {
	if !c.auto() {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		c.look(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *compression) look(now time.Time) {
	// A worker that waits for room on the disk is not at work, and a lower level
	// would make the wait longer.
	p := pressure{load: c.processors.load(now), behind: c.queued() > 0 && int(c.working.Load()) >= c.workers}
	before, level := c.Level(), c.ladder.look(p)
	if level == before {
		return
	}
	c.level.Store(int32(level))
	c.log.Debug("gzip level changed", slog.Int("from", before), slog.Int("to", level),
		slog.Float64("load", p.load), slog.Bool("behind", p.behind))
}
