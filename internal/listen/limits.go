package listen

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// LimitOptions say what senders can take of a relay. 0 is no limit.
type LimitOptions struct {
	Connections           int   // that are open at the same time
	ConnectionsPerAddress int   // of them, for one sender's address
	Memory                int64 // bytes for what connections have sent of messages that are not whole yet, beyond 4 KiB for each
	Rate                  int   // messages a second of one sender's address, or one user of a Unix datagram socket

	Registerer prometheus.Registerer // nil: no metrics
}

// Limits bound what senders can take of a relay, over all listeners they are
// given to. Its methods may be called at the same time. A nil Limits has none.
//
// A sender is an address, the client's where there is PROXY protocol. On Unix
// datagram sockets it is a user of this host.
type Limits struct {
	opts  LimitOptions
	rates *rates[netip.Addr] // nil: no limit
	users *rates[uint32]     // likewise

	open   atomic.Int64
	memory atomic.Int64

	mu   sync.Mutex
	from map[netip.Addr]int // open connections; none has 0
}

// NewLimits returns limits that nothing counts against yet. An error is one of
// the Registerer's.
func NewLimits(opts LimitOptions) (*Limits, error) {
	l := &Limits{opts: opts, from: map[netip.Addr]int{}}
	if opts.Rate > 0 {
		l.rates, l.users = newRates[netip.Addr](opts.Rate), newRates[uint32](opts.Rate)
	}
	r := &registrar{reg: opts.Registerer}
	gauge := func(name, help string, f func() float64) {
		r.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "kinesyslog", Name: name, Help: help}, f))
	}
	gauge("connections_limit", "Connections that may be open at the same time, over all listeners; 0 is no limit.",
		func() float64 { return float64(opts.Connections) })
	gauge("connection_memory_bytes", "Memory for what connections have sent of messages that are not whole yet, beyond 4 KiB for each.",
		func() float64 { return float64(l.memory.Load()) })
	gauge("connection_memory_limit_bytes", "What kinesyslog_connection_memory_bytes may be; 0 is no limit.",
		func() float64 { return float64(opts.Memory) })
	return l, r.err("connection limits")
}

// connect takes a place for a connection, if there is one. Every one that was
// taken is given back with disconnect.
func (l *Limits) connect() bool {
	if l == nil {
		return true
	}
	if open := l.open.Add(1); l.opts.Connections > 0 && open > int64(l.opts.Connections) {
		l.open.Add(-1)
		return false
	}
	return true
}

func (l *Limits) disconnect() {
	if l != nil {
		l.open.Add(-1)
	}
}

// connectFrom takes one of the sender's places, to be given back with
// disconnectFrom.
func (l *Limits) connectFrom(sender netip.Addr) bool {
	if l == nil || l.opts.ConnectionsPerAddress == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.from[sender]
	if n >= l.opts.ConnectionsPerAddress {
		return false
	}
	l.from[sender] = n + 1
	return true
}

func (l *Limits) disconnectFrom(sender netip.Addr) {
	if l == nil || l.opts.ConnectionsPerAddress == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[sender]--; l.from[sender] <= 0 {
		delete(l.from, sender)
	}
}

// fastMemory is what may be taken only to make reading faster, by all
// connections: a hundred busy ones have the largest buffers, a thousand smaller
// ones, at more reads a message.
const fastMemory = 16 << 20

// use takes bytes of memory, if there are any. What only makes reading faster
// gets no more than fastMemory, and no more than half: the rest is for messages
// that need it.
func (l *Limits) use(bytes int, needed bool) bool {
	if l == nil {
		return true
	}
	limit := l.opts.Memory
	if !needed {
		limit = min(limit/2, fastMemory)
	}
	if used := l.memory.Add(int64(bytes)); l.opts.Memory > 0 && used > limit {
		l.memory.Add(-int64(bytes))
		return false
	}
	return true
}

// free gives back what use has taken.
func (l *Limits) free(bytes int) {
	if l != nil {
		l.memory.Add(-int64(bytes))
	}
}
