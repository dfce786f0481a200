package listen

import (
	"context"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nobody is the uid of those that the kernel cannot name, as it writes them
// itself (/proc/sys/kernel/overflowuid).
const nobody = 65534

// unixReader takes datagrams from a Unix socket, and tells which user sent them
// if the socket asks for that. It allocates nothing for a datagram.
type unixReader struct {
	buf     []byte
	vector  unix.Iovec
	header  unix.Msghdr
	control credentials
	asked   bool // for credentials
}

// credentials is room for the one control message that is asked for,
// SCM_CREDENTIALS. There must be no more of it: the kernel would open files for
// us that senders pass (SCM_RIGHTS).
type credentials struct {
	header unix.Cmsghdr
	sender unix.Ucred
	_      uint32
}

// newUnixReader returns a reader of datagrams up to size, whose rest is cut off.
func newUnixReader(size int, asked bool) *unixReader {
	r := &unixReader{buf: make([]byte, size), asked: asked}
	r.vector.Base = &r.buf[0]
	r.vector.SetLen(size)
	r.header.Iov = &r.vector
	r.header.SetIovlen(1)
	if asked {
		r.header.Control = (*byte)(unsafe.Pointer(&r.control))
	}
	return r
}

// read returns the next datagram, which is valid until the next call, and the
// uid of its sender. The error is EAGAIN if there is none.
func (r *unixReader) read(fd int) (datagram []byte, uid uint32, err error) {
	if r.asked {
		r.control = credentials{}
		r.header.SetControllen(int(unsafe.Sizeof(r.control)))
	}
	n, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.header)), unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if errno != 0 {
		return nil, 0, errno
	}
	return r.buf[:n], r.uid(), nil
}

func (r *unixReader) uid() uint32 {
	c := &r.control
	if int(r.header.Controllen) < unix.CmsgLen(unix.SizeofUcred) || c.header.Level != unix.SOL_SOCKET || c.header.Type != unix.SCM_CREDENTIALS {
		return nobody
	}
	return c.sender.Uid
}

// listenUnixgram makes a socket for datagrams. If users matter the kernel tells of
// each which one sent it; it is asked before anybody can send.
func listenUnixgram(addr *net.UnixAddr, users bool) (*net.UnixConn, error) {
	config := net.ListenConfig{}
	if users {
		config.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			closed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
			if closed != nil {
				return closed
			}
			return err
		}
	}
	conn, err := config.ListenPacket(context.Background(), "unixgram", addr.Name)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}
