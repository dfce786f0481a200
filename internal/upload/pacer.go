package upload

import (
	"slices"
	"sync"
	"time"
)

const (
	// paceFloor is the lowest limit in bytes a second. Below it back-off rules.
	paceFloor = 16 << 10
	// firstFloor is the lowest first limit: what was accepted when little was
	// sent says little.
	firstFloor = 128 << 10
	// paceLift is a limit so high that none makes no difference.
	paceLift = 256 << 20
	// paceStep is how many seconds of the rate one call stands for, at least.
	paceStep = 0.1

	firstCut = 0.75 // the first limit, of what was accepted a second
	laterCut = 0.88 // later ones, of the share of the old that was accepted
	leastCut = 0.5  // a few results are no reason to cut deeper at once
	below    = 0.96 // a ceiling, of the rate at which records were refused

	// lately is the time over which accepted bytes are summed up.
	lately = 5 * time.Second
)

// pacer finds out how many bytes a second the stream takes. It knows no limit
// until records are refused. Then it cuts the rate to a little less than what
// was accepted, and lets it grow along a curve.
//
// The limit is kept with a token bucket that a call may overdraw, so that a
// record of any size gets through: the next call waits until the debt is paid.
type pacer struct {
	mu    sync.Mutex
	calls int // in flight at most

	rate   float64   // bytes a second, 0 for no limit
	level  float64   // of the bucket
	filled time.Time // when the level was right
	curve  curve

	round   int   // counts cuts; calls sent before one say nothing of the new rate
	results tally // of this round
	noise   noise
	owed    float64 // refused bytes that are not paid for
	dead    bool    // the last call was refused altogether
	recent  []acceptance
	took    time.Duration // by a call, smoothed
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
	p.refill(now)
	switch {
	case p.rate == 0:
		return maxCallBytes, 0
	case p.level <= 0:
		return 0, time.Duration(-p.level/p.rate*float64(time.Second)) + time.Millisecond
	}
	return int(min(max(p.rate*p.step(), p.level), maxCallBytes)), 0
}

// step is how many seconds of the rate one call stands for: more where answers
// take long, as only so many calls may be in flight.
func (p *pacer) step() float64 {
	return max(paceStep, min(1.5*p.took.Seconds()/float64(p.calls), 2))
}

// patience stretches times where answers take long, as what is done now is not
// seen before them.
func (p *pacer) patience() float64 { return max(1, 4*p.took.Seconds()) }

// charge books bytes that are being sent and returns the round they belong to.
func (p *pacer) charge(now time.Time, bytes int) (round int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refill(now); p.rate > 0 {
		p.level -= float64(bytes)
	}
	return p.round
}

// refill adds what came since the last time, and lets the rate grow for as
// long as it was the limit that held calls back.
func (p *pacer) refill(now time.Time) {
	if p.rate == 0 {
		p.level = 0
		return
	}
	passed := now.Sub(p.filled).Seconds()
	p.filled = now
	p.level += p.rate * passed
	if full := 2 * p.rate * p.step(); p.level >= full {
		p.level = full
		return
	}
	p.curve.at += passed
	if p.rate = p.curve.rate(p.patience()); p.rate > paceLift {
		p.rate = 0
	}
}

// settle takes a call's outcome into account. It reports false when two calls
// in a row were refused altogether: then the rate is not to blame, and back-off
// has to rule.
func (p *pacer) settle(now time.Time, o outcome) (alive bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = (3*p.took + o.took) / 4
	refused, accepted := float64(o.refusedBytes), float64(o.bytes-o.refusedBytes)
	p.owed = max(0, p.owed+refused-repaid*accepted)
	throughput := p.accepted(now, accepted)
	was := p.dead
	p.dead = accepted == 0
	if was && p.dead {
		return false
	}
	if o.round != p.round || throughput == 0 {
		return true
	}
	share := refused / float64(o.bytes)
	p.results.add(now, share)
	p.noise.watch(now, p.rate, share, &p.results)
	if o.refused > 0 && p.noise.exceeded(&p.results) {
		// What a stream that suddenly takes less refuses at first is not to be
		// paid for at length.
		p.owed = min(p.owed, max(2*refused/float64(o.refused), p.rate/2))
		p.slow(now, throughput)
		p.level = min(p.level, -min(refused, p.rate))
	}
	return true
}

// accepted notes accepted bytes and returns how many were accepted a second
// lately.
func (p *pacer) accepted(now time.Time, bytes float64) (throughput float64) {
	p.recent = slices.DeleteFunc(p.recent, func(a acceptance) bool { return now.Sub(a.at) >= lately })
	if bytes > 0 {
		p.recent = append(p.recent, acceptance{now, bytes})
	}
	if len(p.recent) == 0 {
		return 0
	}
	for _, a := range p.recent {
		throughput += a.bytes
	}
	return throughput / max(1, now.Sub(p.recent[0].at).Seconds())
}

// slow begins a new round with a lower rate, or with a higher one if lower ones
// have proved useless.
func (p *pacer) slow(now time.Time, throughput float64) {
	old, share := p.rate, p.results.share()
	p.round++
	p.results = tally{faded: now}
	p.filled = now
	switch {
	case p.noise.inVain(now, old, throughput):
		p.owed = 0
		p.curve = curve{floor: p.noise.before}
	case old == 0:
		p.owed = 0
		p.curve = curve{floor: max(firstCut*throughput, firstFloor)}
	default:
		floor := max(old*max(leastCut, laterCut*(1-share)), paceFloor)
		p.curve = curve{floor: floor, ceiling: max(min(below*old, throughput), floor)}
		p.curve.stay(p.owed, p.patience())
	}
	p.rate = p.curve.floor
}

// limit is the present limit in bytes a second, 0 for none.
func (p *pacer) limit() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}
