package config

import (
	"errors"
	"fmt"
	"net/netip"
)

// networks takes prefixes, and single addresses as the longest ones.
func networks(to *[]netip.Prefix) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			p, err := parseNetwork(v)
			if err != nil {
				return err
			}
			*to = append(*to, p)
		}
		return nil
	}
}

// parseNetwork reads a network, or an address as a network of its own.
func parseNetwork(v string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(v); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(v)
	if err == nil && p.Addr().Is4In6() {
		if p.Bits() < 96 {
			err = errors.New("too short for IPv4")
		} else {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
	}
	if err != nil {
		return p, fmt.Errorf("%q is not a network: give it like 10.1.0.0/16 or 2001:db8::/32", v)
	}
	if m := p.Masked(); m != p {
		return p, fmt.Errorf("%s has bits behind its /%d: did you mean %s?", v, p.Bits(), m)
	}
	return p, nil
}
