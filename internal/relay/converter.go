package relay

import (
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/config"
	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
)

// noOwner stands for the account id where it is not known.
const noOwner = "000000000000"

// rules is how a relay of this configuration reads messages.
func rules(cfg *config.Listen) batch.Rules {
	return batch.Rules{
		ZoneOf: cfg.ZoneOf, MaxPast: cfg.MaxPast, MaxFuture: cfg.MaxFuture, Bare: !cfg.AddHeader,
		ByHost: cfg.StreamName == config.ByHost, StreamOf: cfg.SharedStream(),
	}
}

// Converter returns what makes records of a journal file's messages as a relay
// of this configuration does, for kinesyslog spool export. It asks nothing of
// AWS. Not for concurrent use.
func Converter(cfg *config.Listen) (func(*journal.File, interface{ Append(event.Record) error }) error, error) {
	owner := cfg.Owner
	if owner == "" {
		owner = noOwner
	}
	level := cfg.Compression
	if level == config.AutoCompression {
		level = rungs[plainRung].level
	}
	maker, err := batch.NewMaker(batch.Options{
		GroupPrefix: cfg.GroupPrefix, Owner: func() string { return owner }, Level: level,
		Rules:      rules(cfg),
		Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return nil, err
	}
	c, err := maker.New()
	if err != nil {
		return nil, err
	}
	return func(f *journal.File, out interface{ Append(event.Record) error }) error { return c.Convert(f, f, out) }, nil
}
