package upload

import (
	"math"
	"time"
)

// memory is the time in which results fade to a third.
const memory = 10 * time.Second

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
