package upload

import (
	"math"
	"time"
)

// tally sums up the results of calls; old ones fade. It counts calls, not
// records, as those of one call share their fate more often than not.
type tally struct {
	calls, refused float64 // a call that is refused in part counts in part
	faded          time.Time
}

func (t *tally) add(now time.Time, share float64) {
	keep := math.Exp(-now.Sub(t.faded).Seconds() / memory.Seconds())
	t.faded = now
	t.calls = keep*t.calls + 1
	t.refused = keep*t.refused + share
}

// share is the part of the calls that was refused.
func (t *tally) share() float64 { return t.refused / max(t.calls, 1) }

// exceed reports whether more was refused than chance would have it if so small
// a share as tolerance were refused; sigmas says how rare a chance.
func (t *tally) exceed(tolerance, sigmas float64) bool {
	expected := tolerance * t.calls
	return t.refused > expected+sigmas*math.Sqrt(expected)
}

// noise is the share of calls that is refused at whatever rate. It shows when
// cuts do not help: at rates well below what the stream has just accepted,
// records are refused all the same.
type noise struct {
	level  float64
	base   float64 // accepted a second before the first cut
	before float64 // the limit before it
	vain   int     // cuts at rates well below the base
	low    tally   // results at such rates
}

const (
	wellBelow = 0.75
	vainCuts  = 3
	vainCalls = 8
	maxNoise  = 0.5
)

// exceeded reports whether results ask for a cut.
func (n *noise) exceeded(t *tally) bool {
	if n.level == 0 {
		return t.exceed(tolerated, 1)
	}
	return t.exceed(tolerated+1.5*n.level, 2)
}

// watch is told of the result of every call at the present limit.
func (n *noise) watch(now time.Time, limit, share float64, t *tally) {
	if limit > 0 && limit < wellBelow*n.base {
		n.low.add(now, share)
	}
	if n.level == 0 || t.calls < 10 {
		return
	}
	if seen := t.share(); seen < n.level {
		n.level += (seen - n.level) / 16
	}
	if n.level < tolerated/2 {
		n.level = 0
	}
}

// inVain is told of every cut that is due, of the limit (0 for none) and of
// what is accepted a second. It reports whether cutting has proved useless.
func (n *noise) inVain(limit, taken float64) bool {
	if limit == 0 || limit >= wellBelow*n.base {
		*n = noise{level: n.level, base: taken, before: limit}
		return false
	}
	n.vain++
	if n.vain < vainCuts || n.low.calls < vainCalls {
		return false
	}
	*n = noise{level: min(max(n.level, n.low.share()), maxNoise), before: n.before}
	return true
}
