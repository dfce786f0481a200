package listen

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
)

// admit finds out who speaks on a connection, and whether they may. It returns
// the connection to go on with, from which a PROXY protocol header was taken.
// Whoever is refused was counted and logged.
func (s *server) admit(cn *connection) (sender netip.Addr, conn net.Conn, ok bool) {
	if s.kind == kindUnix {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), cn.Conn, true // this host, in the log
	}
	peer, err := senderOf(cn.RemoteAddr())
	if err != nil {
		s.refuseSender(cn.RemoteAddr().String())
		return peer, nil, false
	}
	speaks, trusted := s.proxy.speaks(peer)
	if !trusted && !s.allows(peer) {
		s.refuseSender(peer.String())
		return peer, nil, false
	}
	if !speaks {
		return peer, cn.Conn, true
	}
	h, conn, err := readProxyHeader(cn, s.handshake)
	switch {
	case errors.Is(err, errClosedBeforeHeader):
		return peer, nil, false
	case err != nil:
		if !cn.draining.Load() {
			s.metrics.refusedProxy.Inc()
			s.refusedProxy.warn(slog.String("peer", peer.String()), slog.Any("error", err))
		}
		return peer, nil, false
	case h.local:
		return peer, conn, true // it speaks for itself, and is believed
	}
	sender = peer
	if h.source.IsValid() {
		sender = h.source
	}
	if trusted {
		cn.via = h.endpoint
	}
	if !s.allows(sender) {
		s.refuseSender(sender.String())
		return sender, nil, false
	}
	return sender, conn, true
}

// hungUp tells whether a peer left before it said what was waited for. Some
// balancers end their health checks with a reset.
func hungUp(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

func (s *server) allows(ip netip.Addr) bool { return s.allow == nil || s.allow(ip) }

func (s *server) refuseSender(sender string) {
	s.metrics.refusedSender.Inc()
	s.refused.warn(slog.String("sender", sender), slog.String("reason", "sender not allowed: --allow names no network it is in"))
}
