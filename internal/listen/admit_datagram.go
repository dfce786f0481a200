package listen

import (
	"log/slog"
	"net/netip"
)

// admit finds out who sent a datagram, and whether they may. It returns the text
// behind a PROXY protocol header. What is refused was counted; nothing is
// answered. It allocates nothing.
func (u *UDP) admit(peer netip.Addr, datagram []byte) (sender netip.Addr, text []byte, ok bool) {
	speaks, trusted := u.opts.Proxy.speaks(peer)
	if !trusted && !u.allows(peer) {
		return peer, nil, false
	}
	if !speaks || len(datagram) < proxyFixedV2 || !begins(datagram, proxySignatureV2) {
		return peer, datagram, !trusted || u.allows(peer)
	}
	h, more, err := parseProxyHeader(datagram)
	if err == nil && (more || h.size > len(datagram)) {
		err = errShortAddresses
	}
	if err != nil {
		u.opts.Ledger.Drop(u.name, dropProxy, 1, uint64(len(datagram)))
		u.refusedProxy.warn(slog.Any("peer", peer), slog.Any("error", err))
		return peer, nil, false
	}
	text = datagram[h.size:]
	if h.local {
		return peer, text, len(text) > 0 // without text it is a health check
	}
	sender = peer
	if h.source.IsValid() {
		sender = h.source
	}
	return sender, text, u.allows(sender)
}

// allows tells whether an address may send, and counts it if not.
func (u *UDP) allows(ip netip.Addr) bool {
	if u.opts.Allow == nil || u.opts.Allow(ip) {
		return true
	}
	u.metrics.refusedSender.Inc()
	u.refused.warn(slog.Any("sender", ip))
	return false
}
