package listen

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestEachListenerOnAllAddressesTakesItsOwnNetworksOnly(t *testing.T) {
	needIPv6(t)
	certificate := testCertificate(t)
	for _, tt := range []struct{ network, may, other string }{
		{"127.0.0.0/8", "127.0.0.1", "::1"}, // not as ::ffff:127.0.0.1, as the kernel has it
		{"::1/128", "::1", "127.0.0.1"},
	} {
		allow := Networks([]netip.Prefix{netip.MustParsePrefix(tt.network)})
		for _, kind := range []string{"udp", "tcp", "tls"} {
			t.Run(kind+" "+tt.network, func(t *testing.T) {
				e := newEnv()
				var addr net.Addr
				network := "tcp"
				switch kind {
				case "udp":
					l, _ := startUDP(t, e.udp(UDPOptions{Address: "::", Allow: allow}))
					addr, network = l.Addr(), "udp"
				case "tcp":
					l, _ := startTCP(t, e.tcp(TCPOptions{Address: "::", Allow: allow}))
					addr = l.Addr()
				case "tls":
					l, _ := startTCP(t, e.tcp(TCPOptions{Address: "::", Allow: allow, TLS: certificate.server()}))
					addr = l.Addr()
				}
				stranger := dial(t, network, onPort(tt.other, addr))
				if kind == "udp" {
					send(t, stranger, "<1>forged")
					e.log.wait(t, "--allow")
					silent(t, stranger, 20*time.Millisecond)
				} else if n, err := stranger.Read(make([]byte, 1)); n != 0 || err == nil {
					t.Errorf("the stranger was not closed: %d, %v", n, err)
				}
				friend := dial(t, network, onPort(tt.may, addr))
				if kind == "tls" {
					friend = dialTLS(t, onPort(tt.may, addr), certificate.client())
				}
				send(t, friend, "<1>a\n")
				if d := cmp.Diff([]message{{tt.may, "<1>a"}}, e.journal.wait(t, 1)); d != "" {
					t.Errorf("messages (-want +got):\n%s", d)
				}
				if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 1 {
					t.Errorf("%v refused, want 1", n)
				}
				e.log.wait(t, "--allow") // says what to change
			})
		}
	}
}
