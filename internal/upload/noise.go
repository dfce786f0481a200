package upload

import "time"

const (
	// tolerated is the share of refusals that is no reason to slow down.
	tolerated = 0.01
	// maxNoise bounds what is taken for noise.
	maxNoise = 0.5

	near       = 0.95 // of the base: a limit there is not a lowered one
	wellBelow  = 0.75 // of the base: a limit there should stop all refusals
	remembered = 30 * time.Second
	vainCuts   = 3
	vainCalls  = 8
)

// noise is the share of calls that is refused at whatever rate. It shows when
// cuts do not help: at rates well below what the stream has just accepted,
// records are refused all the same. Without it, a stream that fails now and
// then would be slowed down to nothing.
type noise struct {
	level  float64
	base   float64   // accepted a second before the first of the present cuts
	since  time.Time // when that was
	before float64   // the limit then, 0 for none
	vain   int       // cuts of limits well below the base
	low    tally     // results at such limits
}

// exceeded reports whether results ask for a cut.
func (n *noise) exceeded(t *tally) bool {
	if n.level == 0 {
		return t.exceed(tolerated, 1)
	}
	return t.exceed(tolerated+1.5*n.level, 2)
}

// watch is told of the result of every call at the present limit, after it was
// added to t. The level goes down to what is seen.
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
// what is accepted a second. It reports whether cutting has proved useless;
// then before is the limit to go back to.
func (n *noise) inVain(now time.Time, limit, accepted float64) bool {
	if limit == 0 || limit >= near*n.base || now.Sub(n.since) > remembered {
		*n = noise{level: n.level, base: accepted, before: limit, since: now}
		return false
	}
	if limit < wellBelow*n.base {
		n.vain++
	}
	if n.vain < vainCuts || n.low.calls < vainCalls {
		return false
	}
	*n = noise{level: min(max(n.level, n.low.share()), maxNoise), before: n.before}
	return true
}
