package upload

import "math"

const (
	minReach  = 5.0  // seconds from a cut to the ceiling, at least
	maxReach  = 60.0 // and at most
	growth    = 0.15 // of the ceiling, beyond it, after one climb
	searching = 2.0  // seconds to double the rate in while no ceiling is known
	// repaid is the share of accepted bytes that pays for refused ones before
	// the rate goes beyond its ceiling again.
	repaid = 0.025
)

// curve is how a rate grows after it was cut. It comes back to the old ceiling
// quickly, stays there, and goes beyond it slowly first and then faster, as
// CUBIC (RFC 9438) does. Before a ceiling is known it doubles.
type curve struct {
	floor   float64 // bytes a second just after the cut
	ceiling float64 // just below a rate at which records were refused; 0: not known
	reach   float64 // seconds to the point where it goes beyond the ceiling
	at      float64 // seconds since the cut in which the limit was felt
}

// rate is the rate at the present point. patience, at least 1, stretches it.
func (c *curve) rate(patience float64) float64 {
	climb := max(minReach*patience, c.reach/3)
	switch {
	case c.ceiling == 0:
		return c.floor * math.Exp2(c.at/(searching*patience))
	case c.at < climb:
		return c.ceiling - (c.ceiling-c.floor)*math.Pow(1-c.at/climb, 3)
	case c.at < c.reach:
		return c.ceiling
	}
	return c.ceiling * (1 + growth*math.Pow((c.at-c.reach)/climb, 3))
}

// stay sets how long the rate stays at the ceiling: the longer, the more
// refused bytes are owed.
func (c *curve) stay(owed, patience float64) {
	c.reach = min(max(minReach*patience, owed/(1.5*repaid*c.floor)), maxReach)
}
