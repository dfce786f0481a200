package relay

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// loadWindow is over how many looks the load is averaged.
const loadWindow = 5

// processors measures how much of the processors the process uses: those that
// Go may use (GOMAXPROCS), which a container's quota limits. Not for concurrent
// use.
type processors struct {
	used func() time.Duration // by the process since its start

	looks [loadWindow + 1]look // a ring
	next  int
}

type look struct {
	at   time.Time
	used time.Duration
}

func newProcessors() *processors { return &processors{used: processorTime} }

// load is the share of the processors that was in use over the last few calls,
// 0 to 1 and a little more by rounding; 0 for the first one.
func (p *processors) load(now time.Time) float64 {
	latest := look{now, p.used()}
	p.looks[p.next%len(p.looks)] = latest
	p.next++
	oldest := p.looks[0]
	if p.next >= len(p.looks) {
		oldest = p.looks[p.next%len(p.looks)]
	}
	passed := latest.at.Sub(oldest.at)
	if passed <= 0 {
		return 0
	}
	return float64(latest.used-oldest.used) / float64(passed) / float64(runtime.GOMAXPROCS(0))
}

// processorTime is the time of all threads, in the kernel too.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // it cannot fail for the process itself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
