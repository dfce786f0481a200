package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	defaultStreamBits = 24 // of IPv4
	minStreamBits     = 8
	// streamBits6 is what one network has of IPv6, whatever its size.
	streamBits6 = 64
)

// networkBits reads "network" or "network/24".
func networkBits(v string, to *int) error {
	*to = defaultStreamBits
	_, bits, given := strings.Cut(v, "/")
	if !given {
		return nil
	}
	n, err := strconv.Atoi(bits)
	if err != nil || n < minStreamBits || n > 32 {
		return fmt.Errorf("%q will not do: give network/%d to network/32, the length of an IPv4 prefix", v, minStreamBits)
	}
	*to = n
	return nil
}

// SharedStream returns what names the log streams that senders share, given the
// name of a listener and a sender's address, or nil if every sender has one of
// its own:
//
//   - ByNetwork: "192.0.2.0/24" or "2001:db8::/64"; an address that is none, like
//     that of a Unix socket, stands for itself.
//   - ByListener: the listener's name as in metrics, "udp/514", without colons.
//
// The function may be called by several goroutines at the same time.
func (c *Listen) SharedStream() func(listener, address string) string {
	switch c.StreamName {
	case ByNetwork:
		bits := c.StreamNetworkBits
		return func(_, address string) string { return networkOf(address, bits) }
	case ByListener:
		return func(listener, _ string) string { return strings.ReplaceAll(listener, ":", "_") }
	}
	return nil
}

func networkOf(address string, bits int) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		bits = streamBits6
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}
