package listen

import "time"

const (
	// lingerPause is for how long what a connection sends is left to gather in
	// its socket, if it sends little at a time and often: to be woken up costs as
	// much as twenty messages do. TCP holds what comes meanwhile.
	lingerPause = 4 * time.Millisecond
	// lingerBelow is how many bytes are little. A connection that sends more
	// than this in a pause is read without any.
	lingerBelow = 4 << 10
)

// lingering decides whether to pause before a connection is read again. Not for
// concurrent use.
type lingering struct {
	paused bool
	last   time.Time // when the last read ended
}

// after tells for how long to pause after a read that brought n bytes and ended
// now: not at all, or for lingerPause. A pause is worth it if the connection
// would have been read twice in that time, and the next one if the read after
// the pause did not have to wait.
func (l *lingering) after(n int, now time.Time) time.Duration {
	gap := now.Sub(l.last)
	l.last = now
	if l.paused {
		l.paused = n < lingerBelow && gap < lingerPause*3/2
	} else {
		l.paused = n < lingerBelow && gap < lingerPause/2
	}
	if l.paused {
		return lingerPause
	}
	return 0
}
