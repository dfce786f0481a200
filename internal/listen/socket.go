package listen

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollInterval is how long it takes until what the kernel has dropped is booked
// if no datagram tells of it.
const pollInterval = 200 * time.Millisecond

// socket is a UDP socket whose reader waits in the kernel. The runtime's poller
// is left out: while all processors are busy compressing it is asked only every
// 10 ms, and a receive buffer is soon full.
type socket struct {
	fd   int
	addr netip.AddrPort
	// drops is the kernel's count of datagrams that found the buffer full, as
	// of the last time it was booked. It wraps around.
	drops uint32
}

// openSocket binds a socket. shared lets others that ask for it bind the same
// address.
func openSocket(addr netip.AddrPort, shared bool) (*socket, error) {
	family := unix.AF_INET6
	if addr.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd}
	if err := s.bind(addr, shared); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *socket) bind(addr netip.AddrPort, shared bool) error {
	if shared {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	var sa unix.Sockaddr
	if ip := addr.Addr(); ip.Is4() {
		sa = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}
	} else {
		if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0); err != nil {
			return err
		}
		zone, err := zoneID(ip.Zone())
		if err != nil {
			return err
		}
		sa = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16(), ZoneId: zone}
	}
	if err := unix.Bind(s.fd, sa); err != nil {
		return err
	}
	// Datagrams of a sender that follow each other in equal size may come put
	// together. Older kernels cannot. A socket that was taken over is left alone:
	// whoever has it next may not know how to take them apart.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_UDP, unix.UDP_GRO, 1)
	return s.prepare()
}

// adoptSocket takes over a socket that is bound already, and closes the file.
func adoptSocket(f *os.File) (*socket, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd}
	if err := s.prepare(); err != nil {
		s.close()
		return nil, err
	}
	s.drops, _ = s.kernelDrops() // those before are not ours
	return s, nil
}

// prepare has the kernel tell of drops, and reads the socket's address.
func (s *socket) prepare() error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1); err != nil {
		return err
	}
	sa, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		s.addr = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		s.addr = netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(zoneName(sa.ZoneId)), uint16(sa.Port))
	default:
		return errors.New("not an IPv4 or IPv6 socket")
	}
	return nil
}

// raiseBuffer makes the receive buffer big enough for want bytes if the kernel
// lets it. The kernel then counts twice as much, for its own overhead.
func (s *socket) raiseBuffer(want int) {
	if s.bufferSize() >= 2*want {
		return
	}
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, want) != nil { // needs CAP_NET_ADMIN
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, want) // bufferSize tells what it did
	}
}

// bufferSize returns the size of the receive buffer in the kernel's accounting.
func (s *socket) bufferSize() int {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return 0
	}
	return n
}

// kernelDrops returns the kernel's count of datagrams that were dropped because
// the buffer was full. Unlike SO_RXQ_OVFL it needs no datagram after them.
func (s *socket) kernelDrops() (uint32, error) {
	var info [unix.SK_MEMINFO_DROPS + 1]uint32
	length := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return 0, errno
	}
	return info[unix.SK_MEMINFO_DROPS], nil
}

// newDrops returns how many drops count says came since the last call. Counts
// that come with datagrams were taken when those arrived, so they may be older
// than one that is known.
func (s *socket) newDrops(count uint32) uint64 {
	delta := int32(count - s.drops)
	if delta <= 0 {
		return 0
	}
	s.drops = count
	return uint64(delta)
}

func (s *socket) close() error { return unix.Close(s.fd) }

func zoneID(name string) (uint32, error) {
	if name == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(n), nil
	}
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	return uint32(ifi.Index), nil
}

func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if ifi, err := net.InterfaceByIndex(int(id)); err == nil {
		return ifi.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
