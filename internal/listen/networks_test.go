package listen

import (
	"net/netip"
	"testing"
)

func TestNetworksHoldAddressesOfBothFamilies(t *testing.T) {
	in := Networks([]netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fe80::/10"),
	})
	for address, want := range map[string]bool{
		"192.0.2.127": true, "192.0.2.128": false, "2001:db8::1": true, "2001:db9::1": false,
		"fe80::1%eth0": true, "127.0.0.1": false,
	} {
		if got := in(canonical(netip.MustParseAddr(address))); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	if Networks(nil) != nil {
		t.Error("no networks are not everybody's")
	}
}
