package batch

import (
	"log/slog"
	"sync"
	"time"
)

// hostsInterval is how often the log tells at most that there are too many
// hosts.
const hostsInterval = 10 * time.Minute

// hostsLog tells of generations that name more hosts than have log streams, for
// all Converters of a Maker.
type hostsLog struct {
	log *slog.Logger // nil: nothing is told

	mu       sync.Mutex
	next     time.Time
	messages uint64 // since it was told of last
}

// tell logs what a generation had too much, or keeps it for the next time. The
// sender that it names is that with the most hosts of this generation.
func (l *hostsLog) tell(h *hosts) {
	if l.log == nil || h.unnamed == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages += h.unnamed
	now := time.Now()
	if now.Before(l.next) {
		return
	}
	l.log.Warn("messages are in the log stream of their sender's address: their senders name more hosts in one flush interval than have log streams of their own. If one makes them up, keep it out with --allow; else give a shorter --flush-interval, or --stream-name address",
		"messages", l.messages, "limit", maxHosts, "listener", h.author.Listener, "sender", h.author.Address, "hosts_of_sender", h.authored)
	l.next, l.messages = now.Add(hostsInterval), 0
}
