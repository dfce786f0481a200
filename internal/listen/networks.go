package listen

import (
	"net/netip"
	"slices"
)

// Networks returns a function that tells whether an address is in one of the
// networks, for Allow and Proxy.Trust. Without networks it is nil. The function
// may be called at the same time; the prefixes are those of IPv4 or IPv6, not of
// IPv4 in IPv6.
func Networks(prefixes []netip.Prefix) func(netip.Addr) bool {
	if len(prefixes) == 0 {
		return nil
	}
	prefixes = slices.Clone(prefixes)
	return func(ip netip.Addr) bool {
		ip = ip.WithZone("") // a prefix contains no address with a zone
		for _, p := range prefixes {
			if p.Contains(ip) {
				return true
			}
		}
		return false
	}
}
