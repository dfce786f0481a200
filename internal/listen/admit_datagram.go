package listen

import (
	"log/slog"
	"net/netip"
)

// admit finds out who sent a datagram, and whether they may. It returns the text
// behind a PROXY protocol header, and the VPC endpoint that a trusted balancer
// tells of, if log streams are named after it. What is refused was counted;
// nothing is answered. It allocates nothing.
func (u *UDP) admit(peer netip.Addr, datagram []byte) (sender netip.Addr, via vpcEndpoint, text []byte, ok bool) {
	speaks, trusted := u.opts.Proxy.speaks(peer)
	if !trusted && !u.allows(peer) {
		return peer, via, nil, false
	}
	if !speaks || len(datagram) < proxyFixedV2 || !begins(datagram, proxySignatureV2) {
		return peer, via, datagram, !trusted || u.allows(peer)
	}
	h, more, err := parseProxyHeader(datagram)
	if err == nil && (more || h.size > len(datagram)) {
		err = errShortAddresses
	}
	if err != nil {
		u.opts.Ledger.Drop(u.name, dropProxy, 1, uint64(len(datagram)))
		u.refusedProxy.warn(slog.Any("peer", peer), slog.Any("error", err))
		return peer, via, nil, false
	}
	text = datagram[h.size:]
	if h.local {
		return peer, via, text, len(text) > 0 // without text it is a health check
	}
	sender = peer
	if h.source.IsValid() {
		sender = h.source
	}
	if trusted && u.opts.NameByEndpoint && h.tlvs > 0 {
		var tlvs endpointFinder
		_, _ = tlvs.Write(datagram[h.tlvs:h.size]) // it never fails
		via = tlvs.found
	}
	return sender, via, text, u.allows(sender)
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
