package listen

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

// Proxy says whose PROXY protocol headers are believed. The zero value is
// nobody's: then what looks like a header is a message.
//
// A connection of a peer that is believed must begin with a header, of version
// 1 or 2, as the specification asks: to guess would let clients of a balancer
// that sends none write their own. A datagram may begin with one of version 2:
// one without is its peer's own message, as nobody is told that it was refused.
type Proxy struct {
	// Trust tells which peers are believed; nil: none. They need not be
	// allowed to send by themselves.
	Trust func(netip.Addr) bool
	// Anyone says that every peer is believed that is allowed to send.
	Anyone bool
}

// speaks tells whether a peer's headers are believed, and whether that is
// because it is trusted by name.
func (p *Proxy) speaks(peer netip.Addr) (speaks, trusted bool) {
	trusted = p.Trust != nil && p.Trust(peer)
	return trusted || p.Anyone, trusted
}

// errClosedBeforeHeader says that a peer hung up before its first byte: a
// health check.
var errClosedBeforeHeader = errors.New("closed before the PROXY protocol header")

// readProxyHeader takes the header off a connection, waiting for it for so
// long. It returns the connection to go on with, which has everything that came
// behind the header.
func readProxyHeader(cn *connection, within time.Duration) (proxyHeader, net.Conn, error) {
	err := cn.SetReadDeadline(time.Now().Add(within))
	if err != nil || cn.draining.Load() {
		return proxyHeader{}, nil, errClosedBeforeHeader
	}
	h, rest, err := takeProxyHeader(cn.Conn)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("no PROXY protocol header within %s", within)
		}
		return h, nil, err
	}
	// A drain that begins now is seen by whoever reads next: it looks at
	// draining after the deadline was set.
	if err := cn.SetReadDeadline(time.Time{}); err != nil {
		return h, nil, err
	}
	if cn.draining.Load() {
		_ = cn.SetReadDeadline(time.Now()) // fails only for a closed connection
	}
	if len(rest) == 0 {
		return h, cn.Conn, nil
	}
	return h, &prefixedConn{Conn: cn.Conn, rest: rest}, nil
}

// takeProxyHeader reads a header and returns what came behind it. TLVs are read
// over without being kept, however long, but for the id of a VPC endpoint.
func takeProxyHeader(r io.Reader) (h proxyHeader, rest []byte, err error) {
	buf := make([]byte, 512) // more than a header without TLVs
	held := 0
	for more := true; more; {
		n, err := r.Read(buf[held:])
		held += n
		switch {
		case n > 0:
			if h, more, err = parseProxyHeader(buf[:held]); err != nil {
				return h, nil, err
			}
		case hungUp(err) && held == 0:
			return h, nil, errClosedBeforeHeader
		case errors.Is(err, io.EOF):
			return h, nil, io.ErrUnexpectedEOF
		case err != nil:
			return h, nil, err
		}
	}
	end := min(h.size, held)
	var tlvs endpointFinder
	if h.tlvs > 0 {
		_, _ = tlvs.Write(buf[h.tlvs:end]) // it never fails
	}
	rest = buf[end:held]
	if left := int64(h.size - held); left > 0 {
		n, err := io.CopyBuffer(&tlvs, io.LimitReader(r, left), buf)
		if err == nil && n < left {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return h, nil, err
		}
	}
	if h.tlvs > 0 {
		h.endpoint = tlvs.found
	}
	return h, rest, nil
}

// prefixedConn is a connection of which some was read already.
type prefixedConn struct {
	net.Conn
	rest []byte // comes first
}

// Read implements io.Reader.
func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	if len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

// CloseWrite passes the courtesy of stream.closeWrite on.
func (c *prefixedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
