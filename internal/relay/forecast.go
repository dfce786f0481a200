package relay

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// forecastEvery is how often the use of the disk is looked at.
	forecastEvery = time.Second
	// maxSpan bounds what is looked back on. What waits for longer is the little
	// of quiet senders.
	maxSpan = time.Hour
)

// forecast tells when the disk will be full from how its use grew. What it
// looks back on is several flush intervals: within one, the use goes up with
// the journal and down with the conversion, and says nothing.
type forecast struct {
	budget *budget
	span   time.Duration

	mu   sync.Mutex
	seen []seen // the oldest first, about span
}

type seen struct {
	at   time.Time
	used int64
}

func newForecast(b *budget, flush time.Duration) *forecast {
	return &forecast{budget: b, span: min(max(time.Minute, 2*flush), maxSpan)}
}

// run looks until ctx is done.
func (f *forecast) run(ctx context.Context) {
	tick := time.NewTicker(forecastEvery)
	defer tick.Stop()
	for {
		f.look(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (f *forecast) look(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := 0
	for old < len(f.seen) && now.Sub(f.seen[old].at) > f.span {
		old++
	}
	f.seen = append(f.seen[:0], f.seen[old:]...)
	f.seen = append(f.seen, seen{now, f.budget.used.Load()})
}

// seconds is how long it takes until intake stops if the use goes on to grow as
// it did: 0 if it has stopped, +Inf if the use does not grow.
func (f *forecast) seconds() float64 {
	if f.budget.Full() {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) < 2 {
		return math.Inf(1)
	}
	first, last := f.seen[0], f.seen[len(f.seen)-1]
	grown := float64(last.used - first.used)
	if grown <= 0 {
		return math.Inf(1)
	}
	return float64(f.budget.intake-last.used) / grown * last.at.Sub(first.at).Seconds()
}
