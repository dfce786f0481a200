package listen

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// bell wakes those who wait for datagrams when the listener shuts down, so that
// an idle one need not look every now and then. It rings until it is closed.
type bell struct{ fd int }

func newBell() (*bell, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	return &bell{fd}, nil
}

// ring may be called at any time before close.
func (b *bell) ring() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(b.fd, one[:]) // there is room for a one
}

func (b *bell) close() { _ = unix.Close(b.fd) } // nothing is lost with it
