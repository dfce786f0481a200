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
	local                  string // all senders are this host; empty: they are told apart

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
		address := s.local
		if address == "" {
			address = ip.String()
		}
		src = event.NewSource(s.listener, s.format, s.port, address)
		s.known[ip] = src
	}
	return src
}

// senders are the sources as one reader of datagrams sees them: it spares the
// lock, and where many datagrams of a sender follow each other the look-up.
// Not for concurrent use.
type senders struct {
	sources    *sources
	known      map[netip.Addr]*event.Source
	endpoints  map[behindEndpoint]*event.Source
	last       netip.Addr
	lastSource *event.Source
}

func newSenders(s *sources) *senders {
	return &senders{sources: s, known: map[netip.Addr]*event.Source{}, endpoints: map[behindEndpoint]*event.Source{}}
}

// get returns the Source of a canonical address.
func (s *senders) get(ip netip.Addr) *event.Source {
	if ip == s.last {
		return s.lastSource
	}
	src := s.known[ip]
	if src == nil {
		if len(s.known) >= maxSources {
			clear(s.known)
		}
		src = s.sources.get(ip)
		s.known[ip] = src
	}
	s.last, s.lastSource = ip, src
	return src
}

// behindEndpoint is a sender and how it came.
type behindEndpoint struct {
	via vpcEndpoint
	ip  netip.Addr
}

// through returns the Source of a canonical address behind a VPC endpoint, if
// there is one.
func (s *senders) through(via vpcEndpoint, ip netip.Addr) *event.Source {
	if via.n == 0 {
		return s.get(ip)
	}
	key := behindEndpoint{via, ip}
	src := s.endpoints[key]
	if src == nil {
		if len(s.endpoints) >= maxSources {
			clear(s.endpoints)
		}
		src = s.get(ip).Named(via.stream(ip))
		s.endpoints[key] = src
	}
	return src
}
