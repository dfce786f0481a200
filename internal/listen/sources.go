package listen

import (
	"net/netip"
	"sync"

	"kinesyslog/internal/event"
)

// maxSources bounds how many senders a listener remembers. When it is reached
// all are forgotten: a sender then gets a new Source with the same key.
const maxSources = 1 << 16

// sources gives equal addresses the same Source. Its methods may be called at
// the same time.
type sources struct {
	listener, format, port string

	mu    sync.Mutex
	known map[netip.Addr]*event.Source
}

func newSources(listener, format, port string) *sources {
	return &sources{listener: listener, format: format, port: port, known: map[netip.Addr]*event.Source{}}
}

// get returns the Source of a canonical address.
func (s *sources) get(ip netip.Addr) *event.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.known[ip]
	if src == nil {
		if len(s.known) >= maxSources {
			clear(s.known)
		}
		src = event.NewSource(s.listener, s.format, s.port, ip.String())
		s.known[ip] = src
	}
	return src
}
