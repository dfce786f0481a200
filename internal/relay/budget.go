package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// refusal is for how long intake stops after the disk has refused a write.
const refusal = time.Second

// budget is the room on disk that journal, spool and dead letters share. Intake
// stops before all of it is used, so that what is there can still be converted:
// its records need room while its journal is not yet dropped.
type budget struct {
	limit, intake int64
	used          atomic.Int64
	refusedUntil  atomic.Int64 // nanoseconds since 1970

	mu      sync.Mutex
	wake    chan struct{} // closed when room is given back; nil while nobody waits
	refused error
}

func newBudget(limit int64) *budget {
	return &budget{limit: limit, intake: limit - min(limit/4, 128<<20)}
}

func (b *budget) Use(bytes int64) { b.used.Add(bytes) }

func (b *budget) Free(bytes int64) {
	b.used.Add(-bytes)
	b.mu.Lock()
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
	b.mu.Unlock()
}

// Full tells whether intake has to stop.
func (b *budget) Full() bool {
	if b.used.Load() >= b.intake {
		return true
	}
	until := b.refusedUntil.Load()
	return until != 0 && time.Now().UnixNano() < until
}

// Refused notes that the disk did not take a write.
func (b *budget) Refused(err error) {
	b.mu.Lock()
	b.refused = err
	b.mu.Unlock()
	b.refusedUntil.Store(time.Now().Add(refusal).UnixNano())
}

// Trouble tells why intake has stopped, or nil.
func (b *budget) Trouble() (full bool, refused error) {
	if !b.Full() {
		return false, nil
	}
	if b.used.Load() >= b.intake {
		return true, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return true, b.refused
}

// Wait returns when there is room, or with ctx's error.
func (b *budget) Wait(ctx context.Context) error {
	for b.Full() {
		b.mu.Lock()
		if b.wake == nil {
			b.wake = make(chan struct{})
		}
		wake := b.wake
		b.mu.Unlock()
		if !b.Full() {
			return nil // room came before we began to listen for it
		}
		pause := time.NewTimer(refusal / 4)
		select {
		case <-wake:
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
