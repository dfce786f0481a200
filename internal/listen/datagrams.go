package listen

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams one system call brings at most.
	batchSize = 64
	// datagramSize is more than UDP can carry: 65,507 bytes over IPv4, 65,527
	// over IPv6. Pages of the buffers are real only once they were written to.
	datagramSize = 64 << 10
)

// datagrams are what one call of recvmmsg(2) brings: the structures the kernel
// fills, made once and used again for each call.
type datagrams struct {
	headers  [batchSize]unix.Mmsghdr
	vectors  [batchSize]unix.Iovec
	names    [batchSize]unix.RawSockaddrInet6 // the longest that come
	controls [batchSize]control
	buffers  []byte
	filled   int // by the last call

	zones map[uint32]string // names of interfaces by their index
}

// control is room for the one control message that is asked for, SO_RXQ_OVFL.
type control struct {
	header unix.Cmsghdr
	drops  uint32
	_      uint32
}

func newDatagrams() *datagrams {
	d := &datagrams{buffers: make([]byte, batchSize*datagramSize), zones: map[uint32]string{}}
	for i := range d.headers {
		d.vectors[i].Base = &d.buffers[i*datagramSize]
		d.vectors[i].SetLen(datagramSize)
		h := &d.headers[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&d.names[i]))
		h.Iov = &d.vectors[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&d.controls[i]))
	}
	d.filled = batchSize // all are to be made ready
	return d
}

// receive waits for a datagram and takes those that are there, or only the
// latter with MSG_DONTWAIT. It returns how many; they stay until the next call.
func (d *datagrams) receive(fd, flags int) (int, error) {
	for i := range d.filled {
		h := &d.headers[i].Hdr
		h.Namelen = uint32(unsafe.Sizeof(d.names[i]))
		h.SetControllen(int(unsafe.Sizeof(d.controls[i])))
	}
	d.filled = 0
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&d.headers)), batchSize,
		uintptr(flags|unix.MSG_WAITFORONE), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	d.filled = int(n)
	return d.filled, nil
}

// text returns the i-th datagram.
func (d *datagrams) text(i int) []byte {
	n := min(int(d.headers[i].Len), datagramSize)
	return d.buffers[i*datagramSize:][:n:n]
}

// sender returns the canonical address the i-th datagram came from.
func (d *datagrams) sender(i int) netip.Addr {
	name := &d.names[i]
	if name.Family == unix.AF_INET {
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr)
	}
	ip := netip.AddrFrom16(name.Addr).Unmap()
	if name.Scope_id != 0 && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(d.zone(name.Scope_id))
	}
	return ip
}

func (d *datagrams) zone(id uint32) string {
	name, ok := d.zones[id]
	if !ok {
		name = zoneName(id)
		d.zones[id] = name
	}
	return name
}

// drops returns the kernel's count of drops as of the i-th datagram, if it came
// with one: the kernel leaves it out while it is 0.
func (d *datagrams) drops(i int) (count uint32, ok bool) {
	c := &d.controls[i]
	if int(d.headers[i].Hdr.Controllen) < unix.CmsgLen(4) || c.header.Level != unix.SOL_SOCKET || c.header.Type != unix.SO_RXQ_OVFL {
		return 0, false
	}
	return c.drops, true
}
