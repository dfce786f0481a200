package listen

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/transport/v5/deadline"
)

// dtlsQueue is how many datagrams of a peer may wait while one of them is
// looked at. What is more is dropped, and counted.
const dtlsQueue = 64

// dtlsPeer is an address that speaks DTLS to us, and its datagrams. To the
// library it is a net.PacketConn with one peer.
type dtlsPeer struct {
	listener *DTLS
	addr     netip.AddrPort
	sender   netip.Addr
	queue    chan []byte
	until    *deadline.Deadline
	closed   chan struct{}
	close    func()
	shaken   chan struct{} // closed when hands were shaken

	proving sync.Mutex
	proven  bool  // it gave our cookie back, so the address is its own, and it has a place
	refused error // why it has no place

	mu       sync.Mutex
	conn     *dtls.Conn // once hands were shaken
	draining bool
	early    [][]byte // messages that came before hands were shaken
}

func newDTLSPeer(d *DTLS, addr netip.AddrPort, sender netip.Addr) *dtlsPeer {
	p := &dtlsPeer{listener: d, addr: addr, sender: sender, queue: make(chan []byte, dtlsQueue), until: deadline.New(), closed: make(chan struct{}), shaken: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

// put hands a datagram over, or returns false if too many wait.
func (p *dtlsPeer) put(datagram []byte) bool {
	limits := p.listener.opts.Limits
	if !limits.use(len(datagram), true) {
		return false
	}
	select {
	case p.queue <- append([]byte(nil), datagram...):
		return true
	default:
		limits.free(len(datagram))
		return false
	}
}

// empty gives up what waits. Nothing is put any more.
func (p *dtlsPeer) empty() {
	for datagram := p.kept(); datagram != nil; datagram = p.kept() {
		p.listener.opts.Limits.free(len(datagram))
	}
	for {
		select {
		case datagram := <-p.queue:
			p.listener.opts.Limits.free(len(datagram))
		default:
			return
		}
	}
}

// ReadFrom implements net.PacketConn.
func (p *dtlsPeer) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		datagram, err := p.next()
		switch {
		case err != nil:
			return 0, nil, err
		case datagram != nil:
			p.listener.opts.Limits.free(len(datagram))
			return copy(b, datagram), net.UDPAddrFromAddrPort(p.addr), nil
		}
	}
}

// next waits for a datagram. It returns none if it kept one back, or if those
// that were kept back may be had now.
func (p *dtlsPeer) next() ([]byte, error) {
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	case <-p.until.Done():
		return nil, os.ErrDeadlineExceeded
	default:
	}
	shaken := p.shaken
	select {
	case <-shaken:
		if datagram := p.kept(); datagram != nil {
			return datagram, nil
		}
		shaken = nil
	default:
	}
	select {
	case datagram := <-p.queue:
		if shaken != nil && datagram[0] == dtlsApplicationData {
			p.keep(datagram)
			return nil, nil
		}
		return datagram, nil
	case <-shaken:
		return nil, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-p.until.Done():
		return nil, os.ErrDeadlineExceeded
	}
}

// keep holds a message back until hands are shaken: the library would drop all
// but the first that comes before its own end knows that they are.
func (p *dtlsPeer) keep(datagram []byte) {
	p.mu.Lock()
	full := len(p.early) == dtlsQueue
	if !full {
		p.early = append(p.early, datagram)
	}
	p.mu.Unlock()
	if full {
		p.listener.opts.Limits.free(len(datagram))
		p.listener.drop(dropQueue, p.sender, len(datagram))
	}
}

// kept returns what was kept back, one after another, and then nil.
func (p *dtlsPeer) kept() (datagram []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.early) > 0 {
		datagram, p.early = p.early[0], p.early[1:]
	}
	return datagram
}

// WriteTo implements net.PacketConn. With the first message of the handshake
// that is more than a request for our cookie the peer takes a place.
func (p *dtlsPeer) WriteTo(b []byte, _ net.Addr) (int, error) {
	if isDTLSHandshake(b) && b[dtlsHandshakeType] != dtlsHelloVerifyRequest {
		if err := p.prove(); err != nil {
			return 0, err
		}
	}
	return p.listener.conn.WriteToUDPAddrPort(b, p.addr)
}

// prove takes a place for a peer whose address is its own.
func (p *dtlsPeer) prove() error {
	p.proving.Lock()
	defer p.proving.Unlock()
	if p.proven || p.refused != nil {
		return p.refused
	}
	p.refused = p.listener.connect(p)
	p.proven = p.refused == nil
	return p.refused
}

// place tells whether the peer has one, and if it was refused why.
func (p *dtlsPeer) place() (proven bool, refused error) {
	p.proving.Lock()
	defer p.proving.Unlock()
	return p.proven, p.refused
}

// listen sets how long the next message of a session is waited for.
func (p *dtlsPeer) listen(conn *dtls.Conn, idle time.Duration) (draining bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
	if p.draining {
		idle = drainQuiet
	}
	_ = conn.SetReadDeadline(time.Now().Add(idle)) // it cannot fail
	return p.draining
}

// drain lets only that be read which is on its way. A handshake may be over for
// the peer and not for us, so it has a little time.
func (p *dtlsPeer) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draining = true
	if p.conn != nil {
		_ = p.conn.SetReadDeadline(time.Now().Add(drainQuiet))
		return
	}
	time.AfterFunc(drainQuiet, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.conn == nil {
			p.close()
		}
	})
}

// stopped tells whether drain was called.
func (p *dtlsPeer) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.draining
}

// Close implements net.PacketConn.
func (p *dtlsPeer) Close() error {
	p.close()
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *dtlsPeer) LocalAddr() net.Addr { return p.listener.Addr() }

// SetReadDeadline implements net.PacketConn.
func (p *dtlsPeer) SetReadDeadline(t time.Time) error {
	p.until.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn. Datagrams do not wait.
func (p *dtlsPeer) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (p *dtlsPeer) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }
