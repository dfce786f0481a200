package relay

// rung is a gzip level worth using. Cost is the processor time of a message in
// a record of that level, beside level 1, measured with BenchmarkLevel of
// internal/cwl on text that is hard on it. The others are left out: 2 and 7 make
// larger records than the level below on one text or another and take longer,
// 4 and 5 are 6.
type rung struct {
	level int
	cost  float64
}

var rungs = [...]rung{{1, 1}, {3, 1.2}, {6, 1.7}, {8, 5.5}, {9, 10}}

const (
	plainRung = 2 // level 6: where it begins, where falls from above end, and to which it climbs from below

	// Climbing needs half of the processors idle, and the load expected one
	// rung up, if all of it were compression, below what leads down again. So a
	// constant load settles on one rung.
	climbBelow  = 0.5
	expectBelow = 0.8
	fallAbove   = 0.9
	// computing is the load below which workers that are busy wait for the disk
	// more than they compress: larger records would not help them.
	computing = 0.25

	// patience is for how many looks the workers may be behind: generations of
	// several shards end at the same time.
	patience = 2
	// settling is how many looks a fall needs to show in the load.
	settling = 5
)

// pressure is what one look at the relay tells.
type pressure struct {
	load   float64 // the share of the processors in use
	behind bool    // closed generations wait while every worker is at work
}

// ladder chooses a gzip level by what has been seen. It falls within seconds, as
// messages wait and a UDP socket's buffer is small, and climbs slowly, after so
// many looks as a flush interval has: the work comes in bursts at its end, and
// all of it must have been borne.
type ladder struct {
	span int // looks in a row that must bear the next rung

	at    int // in rungs
	calm  int // looks in a row that would have borne the next rung
	late  int // looks in a row with the workers behind
	since int // looks since the last fall
}

func newLadder(span int) *ladder { return &ladder{span: span, at: plainRung} }

// level is what was chosen last.
func (l *ladder) level() int { return rungs[l.at].level }

// look takes note of how things are and returns the level from now on. It is
// called at constant intervals.
func (l *ladder) look(p pressure) (level int) {
	l.since++
	l.late++
	if !p.behind || p.load < computing {
		l.late = 0
	}
	switch {
	case l.late >= patience, p.load > fallAbove && l.since > settling:
		l.at = max(0, min(l.at-1, plainRung))
		l.calm, l.late, l.since = 0, 0, 0
	case p.behind || l.above(p.load) == l.at:
		l.calm = 0
	default:
		if l.calm++; l.calm >= l.span {
			l.at = l.above(p.load)
			l.calm = 0
		}
	}
	return l.level()
}

// above is the rung to climb to that so high a load leaves room for, or the same
// one: from below level 6 that at once, as what follows an overload should not
// be paid for, else one at a time.
func (l *ladder) above(load float64) int {
	if load >= climbBelow {
		return l.at
	}
	for _, to := range []int{max(plainRung, l.at+1), l.at + 1} {
		if to < len(rungs) && load*rungs[to].cost/rungs[l.at].cost < expectBelow {
			return to
		}
	}
	return l.at
}
