package listen

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// rates are token buckets, one for each sender's address, that hold what comes
// in a second. Each is one number: when the sender will have used up what it was
// given (the generic cell rate algorithm). Its methods may be called at the same
// time.
type rates struct {
	interval time.Duration // of one message
	burst    time.Duration // how far ahead of its rate a sender may be
	most     int           // senders in a generation

	mu     sync.Mutex
	recent map[netip.Addr]int64 // nanoseconds since 1970
	older  map[netip.Addr]int64 // forgotten when recent is full
}

func newRates(perSecond int) *rates {
	return &rates{
		interval: time.Second / time.Duration(perSecond), burst: time.Second,
		most: maxSources, recent: map[netip.Addr]int64{}, older: map[netip.Addr]int64{},
	}
}

// ahead books n messages of a sender and returns how long it must wait now. With
// refuse it books nothing if that is not 0.
func (r *rates) ahead(sender netip.Addr, now int64, n int, refuse bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, known := r.recent[sender]
	if !known {
		until = r.older[sender]
		if len(r.recent) >= r.most {
			r.older, r.recent = r.recent, map[netip.Addr]int64{}
		}
	}
	until = max(until, now) + int64(n)*int64(r.interval)
	wait := max(0, time.Duration(until-now)-r.burst)
	if !refuse || wait == 0 {
		r.recent[sender] = until
	}
	return wait
}

// admits books a datagram of a sender, or tells that it is one too many. now is
// in microseconds since 1970.
func (l *Limits) admits(sender netip.Addr, now int64) bool {
	return l == nil || l.rates == nil || l.rates.ahead(sender, now*int64(time.Microsecond), 1, true) == 0
}

// stoppingCheck is how often somebody who waits looks whether the listener
// shuts down.
const stoppingCheck = 100 * time.Millisecond

// pace books n messages of a sender that were read from a connection, and waits
// until more may be read. It returns at once while the listener shuts down. It
// tells whether it had to wait.
func (l *Limits) pace(ctx context.Context, sender netip.Addr, n int, stopping func() bool) bool {
	if l == nil || l.rates == nil {
		return false
	}
	wait := l.rates.ahead(sender, time.Now().UnixNano(), n, false)
	if wait == 0 {
		return false
	}
	for end := time.Now().Add(wait); time.Now().Before(end) && !stopping(); {
		select {
		case <-time.After(min(stoppingCheck, time.Until(end))):
		case <-ctx.Done():
			return true
		}
	}
	return true
}
