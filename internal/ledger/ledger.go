// Package ledger keeps the books of promise 1: at any moment, for each
// listener, received + recovered = delivered + held + dropped.
//
// Every movement is one call that changes both sides at once under one lock,
// so that a reader never sees a message that is nowhere or in two places.
// Movements come in batches (a socket read, a record), not one a message.
package ledger

import (
	"maps"
	"slices"
	"sync"
)

// Place is where a message is held.
type Place int

// The places, in the order of a message's way.
const (
	Journal Place = iota
	Spool
	DeadLetters
	places
)

// String returns the name that metrics use.
func (p Place) String() string { return [...]string{"journal", "spool", "dead_letters"}[p] }

// Balance is a snapshot of one listener's books, in messages.
type Balance struct {
	Listener      string
	Received      uint64 // taken from the network since the process started
	ReceivedBytes uint64
	Recovered     uint64 // found on disk at start
	Delivered     uint64 // accepted by Firehose
	Held          [places]uint64
	Dropped       map[string]uint64 // by reason
}

// HeldTotal is what waits, wherever it waits.
func (b Balance) HeldTotal() (n uint64) {
	for _, h := range b.Held {
		n += h
	}
	return n
}

// DroppedTotal is what was given up, for whatever reason.
func (b Balance) DroppedTotal() (n uint64) {
	for _, d := range b.Dropped {
		n += d
	}
	return n
}

// Difference is 0 when the books balance.
func (b Balance) Difference() int64 {
	return int64(b.Received+b.Recovered) - int64(b.Delivered+b.HeldTotal()+b.DroppedTotal())
}

// Ledger keeps one account for each listener. All methods may be called at the
// same time.
type Ledger struct {
	mu       sync.Mutex
	accounts map[string]*Balance
}

// New returns an empty ledger.
func New() *Ledger { return &Ledger{accounts: map[string]*Balance{}} }

func (l *Ledger) update(listener string, f func(*Balance)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.accounts[listener]
	if b == nil {
		b = &Balance{Listener: listener, Dropped: map[string]uint64{}}
		l.accounts[listener] = b
	}
	f(b)
}

// Open makes an account appear with zeros before its first message.
func (l *Ledger) Open(listener string) { l.update(listener, func(*Balance) {}) }

// Receive books n messages of so many bytes that are now in the journal.
func (l *Ledger) Receive(listener string, n, bytes uint64) {
	l.update(listener, func(b *Balance) {
		b.Received += n
		b.ReceivedBytes += bytes
		b.Held[Journal] += n
	})
}

// Drop books n messages that came and were given up at once.
func (l *Ledger) Drop(listener, reason string, n, bytes uint64) {
	l.update(listener, func(b *Balance) {
		b.Received += n
		b.ReceivedBytes += bytes
		b.Dropped[reason] += n
	})
}

// Recover books n messages that an earlier process left in a place.
func (l *Ledger) Recover(listener string, p Place, n uint64) {
	l.update(listener, func(b *Balance) {
		b.Recovered += n
		b.Held[p] += n
	})
}

// Move books n messages from one place to another.
func (l *Ledger) Move(listener string, from, to Place, n uint64) {
	l.update(listener, func(b *Balance) {
		b.Held[from] -= n
		b.Held[to] += n
	})
}

// Deliver books n messages of a place that Firehose has accepted.
func (l *Ledger) Deliver(listener string, from Place, n uint64) {
	l.update(listener, func(b *Balance) {
		b.Held[from] -= n
		b.Delivered += n
	})
}

// Lose books n messages that were held and cannot be had any more.
func (l *Ledger) Lose(listener string, from Place, reason string, n uint64) {
	l.update(listener, func(b *Balance) {
		b.Held[from] -= n
		b.Dropped[reason] += n
	})
}

// Snapshot returns all accounts as of one instant, sorted by listener.
func (l *Ledger) Snapshot() []Balance {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Balance, 0, len(l.accounts))
	for _, name := range slices.Sorted(maps.Keys(l.accounts)) {
		b := *l.accounts[name]
		b.Dropped = maps.Clone(b.Dropped)
		out = append(out, b)
	}
	return out
}
