package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// resolve turns a bind address into an IP address: "" is all of IPv4, a name
// is looked up.
func resolve(address string, port int) (netip.AddrPort, error) {
	if port < 0 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("port %d is not between 0 and 65535", port)
	}
	if address == "" {
		address = "0.0.0.0"
	}
	if ip, err := netip.ParseAddr(address); err == nil {
		return netip.AddrPortFrom(ip, uint16(port)), nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip", address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("bind address %q is neither an IP address nor a name of one: %w", address, err)
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(port)), nil
}

func bindTCP(kind, address string, port int) (net.Listener, error) {
	addr, err := resolve(address, port)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", kind, err)
	}
	network := "tcp" // with "::" that is both families
	if addr.Addr().Is4() {
		network = "tcp4"
	}
	config := net.ListenConfig{KeepAlive: -1} // set for each connection, for sockets that were open already too
	config.SetMultipathTCP(false)             // no sender needs it, and ss and strace show what people expect
	ln, err := config.Listen(context.Background(), network, addr.String())
	if err != nil {
		return nil, bindError(kind, addr, err)
	}
	return ln, nil
}

// bindError says what was to be bound, why it failed, and what to do. kind is
// the first part of the listener's name.
func bindError(kind string, addr netip.AddrPort, err error) error {
	show := "-ltnp"
	if kind == "udp" || kind == "dtls" {
		show = "-lunp"
	}
	var hint string
	errno := syscall.Errno(0)
	if !errors.As(err, &errno) {
		return fmt.Errorf("listen on %s %s: %w", kind, addr, err)
	}
	switch errno {
	case syscall.EACCES, syscall.EPERM:
		hint = ": ports below 1024 need root or CAP_NET_BIND_SERVICE"
	case syscall.EADDRINUSE:
		hint = fmt.Sprintf(": another program listens there (ss %s 'sport = :%d')", show, addr.Port())
	case syscall.EADDRNOTAVAIL:
		hint = ": no interface of this host has that address (ip address)"
	case syscall.EAFNOSUPPORT:
		hint = ": IPv6 is switched off on this host, use an IPv4 address"
	}
	return fmt.Errorf("listen on %s %s: %w%s", kind, addr, errno, hint)
}

// canonical returns the form of a sender's address that names it: IPv4 as
// IPv4, and a zone only where the address means nothing without it.
func canonical(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if ip.Zone() != "" && !ip.IsLinkLocalUnicast() {
		ip = ip.WithZone("")
	}
	return ip
}

// senderOf returns the canonical address of a connection's peer.
func senderOf(addr net.Addr) (netip.Addr, error) {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		if ip := tcp.AddrPort().Addr(); ip.IsValid() {
			return canonical(ip), nil
		}
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("peer address %q: %w", addr, err)
	}
	return canonical(ap.Addr()), nil
}
