package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// refusal is for how long intake stops after the disk has refused a write.
const refusal = time.Second

// budget is the room on disk that journal, spool and dead letters share. Three
// things are kept apart:
//
//   - Intake stops before all of it is used, so that what is there can still be
//     converted: its records need room while its journal is not yet dropped.
//   - Generations are converted as long as their records are sure to fit below
//     the limit. Records may be larger than the messages they are made of:
//     twice as large, if those are very short or random.
//   - The reserve, a file that only takes up room, keeps a part of it from the
//     other programs that write to the same disk.
type budget struct {
	limit, intake, reserve int64
	used                   atomic.Int64
	refusedUntil           atomic.Int64 // nanoseconds since 1970
	exposed                atomic.Bool  // the reserve is not there

	mu      sync.Mutex
	wake    chan struct{} // closed when room is given back; nil while nobody waits
	refused error         // by the disk, the last time
	missing error         // why the reserve is not there, or nil
	claimed int64         // for generations that are being converted
}

// expansion is how much larger than its journal file a generation's records may
// become. It was measured: 0.2 for common messages, 2.0 for random bytes.
const expansion = 2

// newBudget shares out so many bytes among generations of the given size.
func newBudget(limit, generation int64) *budget {
	return &budget{limit: limit, intake: limit - min(limit/4, 128<<20), reserve: expansion * generation}
}

func (b *budget) Use(bytes int64) { b.used.Add(bytes) }

func (b *budget) Free(bytes int64) {
	b.used.Add(-bytes)
	b.refusedUntil.Store(0) // a file is gone: the disk may do better
	b.signal()
}

// signal tells those who wait that there may be room.
func (b *budget) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
}

// changed returns a channel that is closed by the next signal.
func (b *budget) changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake == nil {
		b.wake = make(chan struct{})
	}
	return b.wake
}

// Full tells whether intake has to stop.
func (b *budget) Full() bool {
	if b.used.Load() >= b.intake || b.exposed.Load() {
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

// expose notes why the reserve is not there, or with nil that it is.
func (b *budget) expose(missing error) {
	b.mu.Lock()
	b.missing = missing
	b.mu.Unlock()
	b.exposed.Store(missing != nil)
	if missing == nil {
		b.signal()
	}
}

// Trouble tells why intake has stopped: the disk's own error, or nil where it
// is for the limit.
func (b *budget) Trouble() (full bool, refused error) {
	if !b.Full() {
		return false, nil
	}
	if b.used.Load() >= b.intake {
		return true, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.missing != nil {
		return true, b.missing
	}
	return true, b.refused
}

// Wait returns when there is room, or with ctx's error.
func (b *budget) Wait(ctx context.Context) error {
	return b.await(ctx, func() bool { return !b.Full() })
}

// Claim waits until a generation of so many bytes can be converted without
// exceeding the limit, and sets that room aside until release is called. Where
// nothing is left to deliver there is nothing to wait for, as only deliveries
// make room: then it gives the room in any case, to one at a time.
func (b *budget) Claim(ctx context.Context, generation int64, delivering func() bool) (release func(), err error) {
	bytes := expansion * generation
	err = b.await(ctx, func() bool {
		idle := !delivering()
		b.mu.Lock()
		defer b.mu.Unlock()
		fits := b.used.Load()+b.claimed+bytes <= b.limit-b.reserve
		if fits || idle && b.claimed == 0 {
			b.claimed += bytes
			return true
		}
		return false
	})
	return func() {
		b.mu.Lock()
		b.claimed -= bytes
		b.mu.Unlock()
		b.signal()
	}, err
}

// await returns when ready says so, or with ctx's error. It asks again whenever
// room is given back, and from time to time.
func (b *budget) await(ctx context.Context, ready func() bool) error {
	for {
		changed := b.changed() // before asking, so that nothing is missed
		if ready() {
			return nil
		}
		pause := time.NewTimer(refusal / 4)
		select {
		case <-changed:
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
