package upload

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	probeBytes   = 512 << 10
	backoffFirst = 100 * time.Millisecond
	backoffLast  = 30 * time.Second
	// refusedPause keeps a stream that takes nothing at two calls a second.
	refusedPause = 500 * time.Millisecond
	// faultFirst and faultLast hold calls back while somebody has to mend the
	// configuration.
	faultFirst = 5 * time.Second
	faultLast  = 30 * time.Second
	minCall    = 64 << 10
)

// gate decides how many calls of what size may be in flight. It opens by
// doubling from one small call, as TCP does, when it is new and after every
// failure; while calls fail there is one at a time, with back-off in between.
type gate struct {
	mu       sync.Mutex
	calls    int // in flight at most
	timeout  time.Duration
	window   int // bytes that may be in flight
	callCap  int // lower than 4 MiB where the way out is too thin for it
	inFlight int // calls
	bytes    int // in flight
	epoch    int // counts failures that were answered with a pause
	row      int // such failures since the last success
	resume   time.Time
	changed  chan struct{}
}

// pass is what a call knows of the time when it was let through.
type pass struct {
	epoch int // of the gate
	round int // of the pacer
	bytes int
}

func newGate(calls int, timeout time.Duration) *gate {
	return &gate{calls: calls, timeout: timeout, window: probeBytes, callCap: maxCallBytes, changed: make(chan struct{}, 1)}
}

// room tells how many bytes the next call may have. For 0 it tells how long to
// wait before asking again; 0 means until something changes.
func (g *gate) room(now time.Time) (bytes int, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	bytes = min(g.window-g.bytes, g.callCap)
	if g.inFlight > 0 && (g.row > 0 || g.inFlight >= g.calls || bytes < min(probeBytes, g.callCap)) {
		return 0, 0
	}
	if wait := g.resume.Sub(now); wait > 0 {
		return 0, wait
	}
	return bytes, 0
}

// enter counts a call that starts; every enter is followed by a leave.
func (g *gate) enter(bytes int) pass {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight++
	g.bytes += bytes
	return pass{epoch: g.epoch, bytes: bytes}
}

func (g *gate) leave(p pass) {
	g.mu.Lock()
	g.inFlight--
	g.bytes -= p.bytes
	g.mu.Unlock()
	g.signal()
}

// idle reports that no call is in flight.
func (g *gate) idle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inFlight == 0
}

func (g *gate) load() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inFlight
}

// succeeded ends all pauses, and opens the gate further if the call was taken
// whole. took is how long it needed.
func (g *gate) succeeded(took time.Duration, whole bool) {
	g.mu.Lock()
	g.row = 0
	g.resume = time.Time{}
	if whole {
		g.window = min(2*g.window, g.calls*maxCallBytes)
	}
	if took < g.timeout/4 {
		g.callCap = min(2*g.callCap, maxCallBytes)
	}
	g.mu.Unlock()
	g.signal()
}

// failed closes the gate but for one small call after a pause, and returns the
// failures in a row. Of calls that were in flight together only the first
// failure counts.
func (g *gate) failed(p pass, f fault, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.epoch != g.epoch {
		return g.row
	}
	g.epoch++
	g.row++
	g.window = probeBytes
	if f.reason == reasonTimeout {
		g.callCap = max(g.callCap/2, minCall)
	}
	g.resume = now.Add(pause(f.class, g.row))
	return g.row
}

// pause is how long to wait after so many failures in a row: exponential with
// full jitter, so that many relays do not come back together.
func pause(c class, row int) time.Duration {
	shift := min(row-1, 16)
	if c == misconfigured {
		d := min(faultFirst<<shift, faultLast)
		return d - rand.N(d/4)
	}
	d := rand.N(min(backoffFirst<<shift, backoffLast))
	if c == throttled && row > 1 {
		d = min(d+refusedPause, backoffLast)
	}
	return d
}

// hurry ends a pause: the next call may go at once.
func (g *gate) hurry() {
	g.mu.Lock()
	g.resume = time.Time{}
	g.mu.Unlock()
	g.signal()
}

func (g *gate) signal() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// await returns when a call has ended, after wait (0: no limit), or when ctx
// is done.
func (g *gate) await(ctx context.Context, wait time.Duration) {
	var timer <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-g.changed:
	case <-timer:
	case <-ctx.Done():
	}
}
