package journal

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
	"kinesyslog/internal/vfs"
)

// Budget is the room on disk that journal and spool share.
type Budget interface {
	// Use takes room and never refuses: what is asked beforehand is Full.
	Use(bytes int64)
	// Free gives room back.
	Free(bytes int64)
	// Full tells whether intake has to stop.
	Full() bool
	// Wait returns when it may go on, or with ctx's error.
	Wait(ctx context.Context) error
	// Refused tells that the disk did not take a write, for want of space or
	// for another reason: intake has to stop for a while.
	Refused(err error)
}

// Options say where the journal is and how it behaves. All but Published and what
// belongs to FlushIntervalMax are needed.
type Options struct {
	Dir             string
	Shards          int
	GenerationBytes int64         // a generation is closed when it is about so large
	FlushInterval   time.Duration // or when its first message is so old
	SyncInterval    time.Duration
	// FlushIntervalMax, if it is more than FlushInterval, is for how long a
	// generation stays open in which there is less text than DocumentBytes for
	// each document that will be made of it. There is one for each sender, or for
	// each log stream of a listener that StreamOf names, given listener and
	// address; it may be nil. Whether there is enough is asked every
	// FlushInterval; where the disk is full nothing waits, as records are smaller.
	FlushIntervalMax time.Duration
	DocumentBytes    int64
	StreamOf         func(listener, address string) string
	// Published tells whether the records of a generation found at start are in
	// the spool already, in which case its file is dropped.
	Published func(name string) bool

	FS         vfs.FS
	Budget     Budget
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}
