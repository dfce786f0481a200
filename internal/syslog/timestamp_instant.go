package syslog

import (
	"math"
	"time"
)

const aDay = 86400 // seconds

// clock turns times as they stand in messages into instants. It remembers the
// years in use and the zone offsets that were in force, because the tables of a
// time.Location are slow to look into.
type clock struct {
	// The year of receipt, which lasts from yearLo to before yearHi
	// (microseconds), and the days from 1970 to its first.
	yearLo, yearHi int64
	year, yearDays int64

	loc   *time.Location
	zones [zoneSlots]zoneSpan
}

// zoneSpan says that by the wall clock, from lo to before hi, a place is off
// seconds east of UTC, and that no time in between happens twice.
type zoneSpan struct{ lo, hi, off int64 }

// instant returns the microseconds since 1970 of a time in a message that was
// received at the given time.
func (c *clock) instant(t *stamp, loc *time.Location, received int64) int64 {
	if t.epoch {
		return t.unix*1e6 + int64(t.micro)
	}
	at := c.seconds(t, loc, received)
	if t.either {
		swapped := *t
		swapped.month, swapped.day = t.day, t.month
		if other := c.seconds(&swapped, loc, received); apart(other*1e6, received) < apart(at*1e6, received) {
			at = other
		}
	}
	return at*1e6 + int64(t.micro)
}

func (c *clock) seconds(t *stamp, loc *time.Location, received int64) int64 {
	inDay := int64(t.hour)*3600 + int64(t.minute)*60 + int64(t.second)
	var wall int64
	if t.year == 0 {
		wall = c.nearest(t, inDay, received)
	} else {
		year := int64(t.year)
		wall = (daysToYear(year)+dayOfYear(year, t.month, t.day))*aDay + inDay
	}
	if t.zone == zoneKnown || t.zone == zoneUsual {
		return wall - int64(t.offset)
	}
	if loc == time.UTC {
		return wall
	}
	if loc == c.loc {
		if z := &c.zones[zoneSlot(wall)]; wall >= z.lo && wall < z.hi {
			return wall - z.off
		}
	}
	return c.inLocation(wall, loc, received)
}

// nearest returns the wall-clock time, as seconds since 1970, of a date without
// a year, in the year that brings it nearest to receipt. Of two that are as near
// the earlier one counts. A leap day may be up to eight years away.
func (c *clock) nearest(t *stamp, inDay, received int64) int64 {
	if received < c.yearLo || received >= c.yearHi {
		c.receivedIn(received)
	}
	now, _ := floorDiv(received, 1e6)
	if t.month == 2 && t.day == 29 {
		best := int64(math.MaxInt64)
		for year := c.year - 8; year <= c.year+8; year++ {
			if wall := (daysToYear(year)+dayOfYear(year, 2, 29))*aDay + inDay; leap(year) && apart(wall, now) < apart(best, now) {
				best = wall
			}
		}
		return best
	}
	wall := (c.yearDays+dayOfYear(c.year, t.month, t.day))*aDay + inDay
	if apart(wall, now) < 180*aDay {
		return wall // every other year is further away
	}
	other, days := c.year+1, c.yearDays+daysOf(c.year)
	if wall > now {
		other, days = c.year-1, c.yearDays-daysOf(c.year-1)
	}
	moved := (days+dayOfYear(other, t.month, t.day))*aDay + inDay
	if d, e := apart(moved, now), apart(wall, now); d < e || d == e && moved < wall {
		return moved
	}
	return wall
}

// receivedIn notes the year of receipt.
func (c *clock) receivedIn(received int64) {
	days, _ := floorDiv(received, aDay*1e6)
	c.year, _, _ = civil(days)
	c.yearDays = daysToYear(c.year)
	c.yearLo, c.yearHi = c.yearDays*aDay*1e6, daysToYear(c.year+1)*aDay*1e6
}

// inLocation returns the instant of a wall-clock time in loc. Of two it takes
// the one nearer to receipt; one that does not happen is moved forward by the
// gap.
func (c *clock) inLocation(wall int64, loc *time.Location, received int64) int64 {
	if loc != c.loc {
		c.loc, c.zones = loc, [zoneSlots]zoneSpan{}
	}
	if z := spanAt(wall, loc); wall >= z.lo && wall < z.hi {
		c.zones[zoneSlot(wall)] = z
		return wall - z.off
	}
	before, after := offsetAt(wall-aDay, loc), offsetAt(wall+aDay, loc)
	early, late := wall-before, wall-after
	isEarly, isLate := offsetAt(early, loc) == before, offsetAt(late, loc) == after
	switch {
	case isEarly && isLate:
		if apart(late*1e6, received) < apart(early*1e6, received) {
			return late
		}
	case isLate:
		return late
	}
	return early
}

// zoneSlots is how many spans are remembered: one for each 24 days of 17 years.
const zoneSlots = 256

func zoneSlot(wall int64) int { return int(uint64(wall) >> 21 % zoneSlots) }

// spanAt returns how long, by the wall clock, the offset at about that time is
// in force, less what happens twice.
func spanAt(wall int64, loc *time.Location) zoneSpan {
	about := time.Unix(wall, 0).In(loc)
	_, off := about.Zone()
	z := zoneSpan{lo: math.MinInt64, hi: math.MaxInt64, off: int64(off)}
	start, end := about.ZoneBounds()
	if !start.IsZero() {
		z.lo = start.Unix() + max(z.off, offsetAt(start.Unix()-1, loc))
	}
	if !end.IsZero() {
		z.hi = end.Unix() + min(z.off, offsetAt(end.Unix(), loc))
	}
	return z
}

func offsetAt(unix int64, loc *time.Location) int64 {
	_, offset := time.Unix(unix, 0).In(loc).Zone()
	return int64(offset)
}

func apart(a, b int64) int64 {
	if a > b {
		return a - b
	}
	return b - a
}
