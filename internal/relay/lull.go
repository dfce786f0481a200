package relay

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// lullEvery is how often it is looked at whether anything goes on.
	lullEvery = 5 * time.Second
	// lullLooks in a row without anything are a lull.
	lullLooks = 3
	// lullBytes of messages since the last lull are worth a collection: less has
	// not left that much behind.
	lullBytes = 16 << 20
)

// lull gives memory back when a load is over. Go's collector runs when the heap
// has grown, or after two minutes, and so would keep until then what the last
// burst left behind.
type lull struct {
	work func() (received, delivered uint64) // bytes and messages in all
	free func()

	received, delivered uint64 // at the last look
	freed               uint64 // received then
	quiet               int    // looks without work
}

func newLull(work func() (received, delivered uint64)) *lull {
	return &lull{work: work, free: debug.FreeOSMemory}
}

// watch looks until ctx is done.
func (l *lull) watch(ctx context.Context) {
	tick := time.NewTicker(lullEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.look()
		case <-ctx.Done():
			return
		}
	}
}

func (l *lull) look() {
	received, delivered := l.work()
	if received != l.received || delivered != l.delivered {
		l.received, l.delivered, l.quiet = received, delivered, 0
		return
	}
	if l.quiet++; l.quiet == lullLooks && received-l.freed >= lullBytes {
		l.free()
		l.freed = received
	}
}

// work is how many bytes of messages were received in all, and how many messages
// delivered.
func (r *Relay) work() (received, delivered uint64) {
	for _, b := range r.ledger.Snapshot() {
		received += b.ReceivedBytes
		delivered += b.Delivered
	}
	return received, delivered
}
