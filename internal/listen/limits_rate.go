package listen

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// rates are token buckets, one for each sender, that hold what comes in a
// second. Each is one number: when the sender will have used up what it was
// given (the generic cell rate algorithm). Its methods may be called at the same
// time.
type rates[Sender comparable] struct {
	interval time.Duration // of one message
	burst    time.Duration // how far ahead of its rate a sender may be
	most     int           // senders in a generation
	begin    time.Time     // times are counted from here, so that setting the clock changes nothing

	mu     sync.Mutex
	recent map[Sender]time.Duration
	older  map[Sender]time.Duration // forgotten when recent is full
}

func newRates[Sender comparable](perSecond int) *rates[Sender] {
	return &rates[Sender]{
		interval: time.Second / time.Duration(perSecond), burst: time.Second,
		most: maxSources, begin: time.Now(), recent: map[Sender]time.Duration{}, older: map[Sender]time.Duration{},
	}
}

// ahead books n messages of a sender and returns how long it must wait now. With
// refuse it books nothing if that is not 0. now is the time since begin.
func (r *rates[Sender]) ahead(sender Sender, now time.Duration, n int, refuse bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, known := r.recent[sender]
	if !known {
		until = r.older[sender]
		if len(r.recent) >= r.most {
			r.older, r.recent = r.recent, map[Sender]time.Duration{}
		}
	}
	until = max(until, now) + time.Duration(n)*r.interval
	wait := max(0, until-now-r.burst)
	if !refuse || wait == 0 {
		r.recent[sender] = until
	}
	return wait
}

// admits books one message of a sender, or tells that it is one too many. A nil
// rates has no limit.
func (r *rates[Sender]) admits(sender Sender) bool {
	return r == nil || r.ahead(sender, time.Since(r.begin), 1, true) == 0
}

// admits books a datagram of a sender, or tells that it is one too many.
func (l *Limits) admits(sender netip.Addr) bool { return l == nil || l.rates.admits(sender) }

// userRates are those of the users of this host, by uid; nil without a limit.
func (l *Limits) userRates() *rates[uint32] {
	if l == nil {
		return nil
	}
	return l.users
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
	wait := l.rates.ahead(sender, time.Since(l.rates.begin), n, false)
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
