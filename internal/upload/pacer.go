package upload

import (
	"math"
	"sync"
	"time"
)

const (
	// paceFloor is the lowest rate in bytes a second. Below it back-off rules.
	paceFloor = 16 << 10
	// paceLift is a rate so high that a limit makes no sense.
	paceLift = 256 << 20
	// paceStep is how many seconds of the rate one call stands for, at least.
	paceStep = 0.1
	// lately is the time over which accepted bytes are summed up.
	lately = 5 * time.Second
	// tolerated is the share of refused records that is no reason to slow down.
	tolerated = 0.01
	// repaid is the share of accepted bytes that pays for refused ones before
	// the rate goes beyond its ceiling again.
	repaid = 0.025
	// memory is the time in which old results fade to a third.
	memory = 10 * time.Second
)

// pacer finds how many bytes a second the stream takes. It knows no limit
// until records are refused; then it cuts the rate to a little less than what
// was accepted, comes back to the old ceiling quickly, stays there, and goes
// beyond it slowly first and then faster, as CUBIC (RFC 9438) does. The more
// bytes were refused, the longer it stays.
//
// Refusals that do not become fewer when the rate falls are not about the rate:
// after some cuts in vain the pacer takes them for noise.
type pacer struct {
	mu    sync.Mutex
	calls int

	rate   float64   // bytes a second, 0 for no limit
	level  float64   // of the token bucket; a call may overdraw it
	filled time.Time // when level was right

	ceiling float64 // a rate just below one at which records were refused
	floor   float64 // the rate after the cut
	curve   float64 // seconds since the cut in which the limit was felt
	reach   float64 // seconds from the cut to the ceiling
	owed    float64 // refused bytes not yet paid for

	round   int // counts cuts; older calls do not count against a new rate
	results tally
	dead    bool         // the last call was refused altogether
	recent  []acceptance // lately
	took    time.Duration
	noise   noise
}

// acceptance is how many bytes the stream took at a time.
type acceptance struct {
	at    time.Time
	bytes float64
}

// outcome is what became of one call.
type outcome struct {
	records, refused    int
	bytes, refusedBytes int
	took                time.Duration
	round               int
}

func newPacer(calls int) *pacer { return &pacer{calls: calls} }

// share tells how many bytes the next call should have at most, or for 0 how
// long to wait.
func (p *pacer) share(now time.Time) (bytes int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate == 0 {
		return maxCallBytes, 0
	}
	p.refill(now)
	if p.rate == 0 {
		return maxCallBytes, 0
	}
	if p.level <= 0 {
		return 0, time.Duration(-p.level/p.rate*float64(time.Second)) + time.Millisecond
	}
	return int(min(max(p.rate*p.step(), p.level), maxCallBytes)), 0
}

// step is how many seconds of the rate one call stands for: more where answers
// take long, as only so many calls may be in flight.
func (p *pacer) step() float64 {
	return max(paceStep, min(1.5*p.took.Seconds()/float64(p.calls), 2))
}

// charge books bytes that are being sent and returns the round they belong to.
func (p *pacer) charge(now time.Time, bytes int) (round int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate > 0 {
		p.refill(now)
		p.level -= float64(bytes)
	}
	return p.round
}

// refill adds what came since the last time, and lets the rate grow for as
// long as it was the limit that held calls back.
func (p *pacer) refill(now time.Time) {
	dt := now.Sub(p.filled).Seconds()
	p.filled = now
	p.level += p.rate * dt
	if full := 2 * p.rate * p.step(); p.level >= full {
		p.level = full
		return
	}
	p.curve += dt
	p.rate = p.grown()
	if p.rate > paceLift {
		p.rate = 0
	}
}

// grown is the rate at this point of the curve.
func (p *pacer) grown() float64 {
	climb := max(minReach*p.patience(), p.reach/3)
	switch {
	case p.ceiling == 0:
		return p.floor * math.Exp2(p.curve/(searching*p.patience()))
	case p.curve < climb:
		return p.ceiling - (p.ceiling-p.floor)*math.Pow(1-p.curve/climb, 3)
	case p.curve < p.reach:
		return p.ceiling
	}
	return p.ceiling * (1 + growth*math.Pow((p.curve-p.reach)/climb, 3))
}

const (
	minReach  = 5.0  // seconds
	growth    = 0.15 // beyond the ceiling, of the ceiling, in the first minReach
	firstCut  = 0.75 // of what was accepted in a second without a limit
	cut       = 0.88 // of what was accepted with one
	leastCut  = 0.5  // one round's results are too few to cut deeper
	below     = 0.96 // the ceiling, of the rate at which records were refused
	searching = 2.0  // seconds to double the rate in, before a ceiling is known
)

// settle takes a call's outcome into account. It reports false when two calls
// in a row were refused altogether: then the rate says nothing, and back-off
// has to rule.
func (p *pacer) settle(now time.Time, o outcome) (alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = (3*p.took + o.took) / 4
	refused, accepted := float64(o.refusedBytes), float64(o.bytes-o.refusedBytes)
	taken := p.accept(now, accepted)
	p.owed = max(0, p.owed+refused-repaid*accepted)
	dead := p.dead
	p.dead = accepted == 0
	if dead && p.dead {
		return false
	}
	if o.round != p.round || taken == 0 {
		return true // sent before the last cut, or nothing to reckon with
	}
	share := refused / float64(o.bytes)
	p.results.add(now, share)
	p.noise.watch(now, p.rate, share, &p.results)
	if o.refused > 0 && p.noise.exceeded(&p.results) {
		p.owed = min(p.owed, max(2*refused/float64(o.refused), p.rate/2))
		p.slow(now, taken)
		p.level = min(p.level, -min(refused, p.rate))
	}
	return true
}

// accept notes accepted bytes and returns how many were accepted a second
// lately.
func (p *pacer) accept(now time.Time, bytes float64) (rate float64) {
	keep := p.recent[:0]
	var sum float64
	for _, a := range append(p.recent, acceptance{now, bytes}) {
		if now.Sub(a.at) < lately && a.bytes > 0 {
			keep = append(keep, a)
			sum += a.bytes
		}
	}
	p.recent = keep
	if len(keep) == 0 {
		return 0
	}
	return sum / max(1, now.Sub(keep[0].at).Seconds())
}

// slow cuts the rate.
func (p *pacer) slow(now time.Time, taken float64) {
	old := p.rate
	if p.noise.inVain(old, taken) {
		p.restart(now, p.noise.before)
		return
	}
	if old == 0 {
		p.ceiling, p.owed = 0, 0
		p.floor = max(firstCut*taken, paceFloor)
	} else {
		p.floor = max(old*max(leastCut, cut*(1-p.results.share())), paceFloor)
		p.ceiling = max(min(below*old, taken), p.floor)
	}
	p.reach = min(max(minReach*p.patience(), p.owed/(1.5*repaid*p.floor)), 60)
	p.restart(now, p.floor)
}

// patience stretches all times where answers take long, as what is done now
// is not seen before them.
func (p *pacer) patience() float64 { return max(1, p.took.Seconds()/0.25) }

// restart begins a round with a rate.
func (p *pacer) restart(now time.Time, rate float64) {
	p.round++
	p.results = tally{faded: now}
	p.rate = rate
	p.floor = rate
	p.curve = 0
	p.filled = now
	p.level = min(p.level, 0)
}

// limit is the present rate in bytes a second, 0 for none.
func (p *pacer) limit() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}
