package listen

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams, or runs of them, one system call brings at
	// most.
	batchSize = 128
	// datagramSize is more than UDP can carry: 65,507 bytes over IPv4, 65,527
	// over IPv6, and no more comes with GRO. Pages of the buffers are real only
	// once they were written to.
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

// control is room for the control messages that are asked for: SO_RXQ_OVFL and
// UDP_GRO, in any order.
type control [2]struct {
	header unix.Cmsghdr
	value  uint32
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

// receive takes the datagrams that are there, without waiting: EAGAIN says that
// there are none. It returns how many; they stay until the next call. With GRO
// one may be a run of several, see segment.
//
// The runtime is not told of the system call, which never blocks: see
// gathering.pause.
func (d *datagrams) receive(fd int) (int, error) {
	for i := range d.filled {
		h := &d.headers[i].Hdr
		h.Namelen = uint32(unsafe.Sizeof(d.names[i]))
		h.SetControllen(int(unsafe.Sizeof(d.controls[i])))
	}
	d.filled = 0
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&d.headers)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	d.filled = int(n)
	return d.filled, nil
}

// text returns the i-th datagram, or run of them.
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

// segment returns how long each datagram of the i-th run is, but for the last,
// which may be shorter. It is at least 1, and the whole length if the kernel has
// put nothing together.
func (d *datagrams) segment(i int) int {
	whole := max(int(d.headers[i].Len), 1)
	if size, ok := d.told(i, unix.SOL_UDP, unix.UDP_GRO); ok && 0 < size && int(size) < whole {
		return int(size)
	}
	return whole
}

// drops returns the kernel's count of drops as of the i-th datagram, if it came
// with one: the kernel leaves it out while it is 0.
func (d *datagrams) drops(i int) (count uint32, ok bool) {
	return d.told(i, unix.SOL_SOCKET, unix.SO_RXQ_OVFL)
}

// told returns the value of a control message that came with the i-th datagram.
func (d *datagrams) told(i int, level, kind int32) (value uint32, ok bool) {
	n := int(d.headers[i].Hdr.Controllen) / int(unsafe.Sizeof(d.controls[i][0]))
	for k := range min(n, len(d.controls[i])) {
		if c := &d.controls[i][k]; c.header.Level == level && c.header.Type == kind {
			return c.value, true
		}
	}
	return 0, false
}
