package listen

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestBindErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		kind, addr string
		err        error
		want       string
	}{
		{"tcp", "0.0.0.0:514", syscall.EACCES, "listen on tcp 0.0.0.0:514: permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE"},
		{"tls", "[::]:6514", syscall.EADDRINUSE, "listen on tls [::]:6514: address already in use: another program listens there (ss -ltnp 'sport = :6514')"},
		{"udp", "0.0.0.0:514", syscall.EADDRINUSE, "listen on udp 0.0.0.0:514: address already in use: another program listens there (ss -lunp 'sport = :514')"},
		{"udp", "192.0.2.1:514", syscall.EADDRNOTAVAIL, "listen on udp 192.0.2.1:514: cannot assign requested address: no interface of this host has that address (ip address)"},
		{"udp", "[::]:514", syscall.EAFNOSUPPORT, "listen on udp [::]:514: address family not supported by protocol: IPv6 is switched off on this host, use an IPv4 address"},
		{"tcp", "[::]:514", syscall.EINVAL, "listen on tcp [::]:514: invalid argument"},
	} {
		err := bindError(tt.kind, netip.MustParseAddrPort(tt.addr), &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", tt.err)})
		if err.Error() != tt.want {
			t.Errorf("got  %s\nwant %s", err, tt.want)
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%v does not wrap %v", err, tt.err)
		}
	}
}

func TestPortInUseIsAnError(t *testing.T) {
	e := newEnv()
	first, err := NewTCP(e.tcp(TCPOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	port := first.Addr().(*net.TCPAddr).Port
	if _, err := NewTCP(newEnv().tcp(TCPOptions{Port: port})); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second TCP listener: %v", err)
	}
	for _, sockets := range []int{1, 2} {
		first, err := NewUDP(newEnv().udp(UDPOptions{Sockets: sockets}))
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		port := first.Addr().(*net.UDPAddr).Port
		if _, err := NewUDP(newEnv().udp(UDPOptions{Port: port, Sockets: sockets})); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("second UDP listener with %d sockets: %v", sockets, err)
		}
	}
}

func TestWrongAddressesAreErrors(t *testing.T) {
	for _, tt := range []struct {
		address string
		port    int
		want    string
	}{
		{"no.such.host.invalid", 0, `bind address "no.such.host.invalid" is neither`},
		{"127.0.0.1", 65536, "port 65536 is not between"},
		{"127.0.0.1", -1, "port -1 is not between"},
		{"192.0.2.1", 0, "no interface of this host has that address"},
	} {
		if _, err := NewTCP(newEnv().tcp(TCPOptions{Address: tt.address, Port: tt.port})); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("tcp %s %d: %v, want %q", tt.address, tt.port, err, tt.want)
		}
		if _, err := NewUDP(newEnv().udp(UDPOptions{Address: tt.address, Port: tt.port})); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("udp %s %d: %v, want %q", tt.address, tt.port, err, tt.want)
		}
	}
}

func TestNegativeMessageLimitIsAnError(t *testing.T) {
	if _, err := NewTCP(newEnv().tcp(TCPOptions{MaxMessage: -1})); err == nil {
		t.Error("TCP took it")
	}
	if _, err := NewUDP(newEnv().udp(UDPOptions{MaxMessage: -1})); err == nil {
		t.Error("UDP took it")
	}
}

func TestSenderAddressHasOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7":        "192.0.2.7",
		"::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8::7":      "2001:db8::7",
		"2001:db8::7%eth0": "2001:db8::7",
		"fe80::7%eth0":     "fe80::7%eth0",
	} {
		ap := netip.AddrPortFrom(netip.MustParseAddr(in), 1234)
		got, err := senderOf(net.TCPAddrFromAddrPort(ap))
		if err != nil || got.String() != want {
			t.Errorf("sender %s: %s, %v, want %s", in, got, err, want)
		}
	}
	if _, err := senderOf(&net.UnixAddr{Name: "x", Net: "unix"}); err == nil {
		t.Error("a Unix socket's peer has no IP address")
	}
}

func TestSourcesAreSharedAndBounded(t *testing.T) {
	s := newSources("tcp/1", "syslog", "1")
	ip := netip.MustParseAddr("192.0.2.7")
	if first, second := s.get(ip), s.get(ip); first != second {
		t.Error("equal addresses have two sources")
	}
	for i := range maxSources + 10 {
		s.get(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(s.known) > maxSources {
		t.Errorf("%d sources are remembered, want %d at most", len(s.known), maxSources)
	}
}
