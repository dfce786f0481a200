package listen

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// maxUnproven bounds the peers that have not given our cookie back yet. When it
// is reached the oldest makes room: so forged addresses cannot take the places
// of real ones, which answer within a round trip.
const maxUnproven = 1024

// The parts of a DTLS record with a handshake message that are looked at from
// outside (RFC 6347 sections 4.1 and 4.2.2).
const (
	dtlsHandshake          = 22 // content type, in the first byte
	dtlsApplicationData    = 23
	dtlsVersionMajor       = 254
	dtlsHandshakeType      = 13 // where the message's type is
	dtlsClientHello        = 1
	dtlsHelloVerifyRequest = 3
)

// isDTLSHandshake tells whether a datagram begins with a handshake message that
// is not encrypted.
func isDTLSHandshake(b []byte) bool {
	return len(b) > dtlsHandshakeType && b[0] == dtlsHandshake && b[1] == dtlsVersionMajor && b[3] == 0 && b[4] == 0
}

// dtlsPeers are all those of one listener. Its methods may be called at the
// same time.
type dtlsPeers struct {
	mu       sync.Mutex
	known    map[netip.AddrPort]*dtlsPeer
	unproven *list.List // of *dtlsPeer, the oldest first
	places   map[*dtlsPeer]*list.Element
	stopping bool
	served   sync.WaitGroup
}

func newDTLSPeers() *dtlsPeers {
	return &dtlsPeers{known: map[netip.AddrPort]*dtlsPeer{}, unproven: list.New(), places: map[*dtlsPeer]*list.Element{}}
}

// give hands a datagram to the peer it is of. Where there is none, first makes
// one, which serve then serves in its own goroutine; first may return nil.
// delivered is false if the peer has too many already.
func (p *dtlsPeers) give(addr netip.AddrPort, datagram []byte, first func() *dtlsPeer, serve func(*dtlsPeer)) (peer *dtlsPeer, delivered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer = p.known[addr]
	if peer == nil {
		if p.stopping {
			return nil, false
		}
		if peer = first(); peer == nil {
			return nil, false
		}
		if p.unproven.Len() >= maxUnproven {
			oldest := p.unproven.Front()
			delete(p.places, p.unproven.Remove(oldest).(*dtlsPeer))
			oldest.Value.(*dtlsPeer).close()
		}
		p.known[addr] = peer
		p.places[peer] = p.unproven.PushBack(peer)
		p.served.Go(func() {
			defer p.forget(peer)
			serve(peer)
		})
	}
	return peer, peer.put(datagram)
}

// proven takes a peer out of those that make room for others. It returns false
// if it had to already.
func (p *dtlsPeers) proven(peer *dtlsPeer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.places[peer]
	if ok {
		p.unproven.Remove(e)
		delete(p.places, peer)
	}
	return ok
}

func (p *dtlsPeers) forget(peer *dtlsPeer) {
	p.proven(peer)
	p.mu.Lock()
	delete(p.known, peer.addr)
	p.mu.Unlock()
	peer.empty()
}

// drain takes no new peers, lets those that are known finish, and after so long
// closes those that are left. It returns when the last one was served.
func (p *dtlsPeers) drain(within time.Duration, giveUp func()) {
	p.mu.Lock()
	p.stopping = true
	for _, peer := range p.known {
		peer.drain()
	}
	p.mu.Unlock()
	timer := time.AfterFunc(within, func() {
		giveUp()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, peer := range p.known {
			peer.close()
		}
	})
	defer timer.Stop()
	p.served.Wait()
}
