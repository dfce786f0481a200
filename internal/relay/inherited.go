package relay

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

// inherited are the sockets that systemd has opened for us (socket activation,
// sd_listen_fds(3)). They stay open while the relay is restarted: connections
// and datagrams wait in them. A listener takes the one that has its type and
// its port, and binds a socket of its own where there is none.
type inherited struct {
	sockets map[inheritedKey]*os.File
}

type inheritedKey struct {
	network string // tcp or udp
	port    int
}

func (k inheritedKey) String() string { return fmt.Sprintf("%s port %d", k.network, k.port) }

// inherit takes what systemd passed, once for a process.
func inherit() (*inherited, error) { return newInherited(activation.Files(true)) }

func newInherited(files []*os.File) (*inherited, error) {
	in := &inherited{sockets: map[inheritedKey]*os.File{}}
	for i, f := range files {
		key, err := inspect(f)
		if err == nil && in.sockets[key] != nil {
			err = fmt.Errorf("it is the second one for %s: let one socket serve all addresses, as with ListenStream=514 or ListenDatagram=514", key)
		}
		if err != nil {
			for _, rest := range files[i:] {
				_ = rest.Close()
			}
			in.close()
			return nil, fmt.Errorf("take over the socket %s from systemd: %w", f.Name(), err)
		}
		in.sockets[key] = f
	}
	return in, nil
}

// inspect finds out what a socket is.
func inspect(f *os.File) (key inheritedKey, err error) {
	fd := int(f.Fd())
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return key, err
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		return key, err
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		key.port = a.Port
	case *unix.SockaddrInet6:
		key.port = a.Port
	default:
		return key, errors.New("it is no IPv4 or IPv6 socket: take it out of the socket unit")
	}
	switch kind {
	case unix.SOCK_DGRAM:
		key.network = "udp"
	case unix.SOCK_STREAM:
		key.network = "tcp"
		listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if err != nil {
			return key, err
		}
		if listens == 0 {
			return key, errors.New("it is one connection, not a socket that listens: set Accept=no in the socket unit")
		}
	default:
		return key, errors.New("it is neither TCP nor UDP: take it out of the socket unit")
	}
	return key, nil
}

func (in *inherited) take(network string, port int) *os.File {
	key := inheritedKey{network, port}
	f := in.sockets[key]
	delete(in.sockets, key)
	return f
}

// datagrams returns the UDP socket of a port, or nil.
func (in *inherited) datagrams(port int) *os.File { return in.take("udp", port) }

// stream returns the socket that listens on a TCP port, or nil.
func (in *inherited) stream(port int) (net.Listener, error) {
	f := in.take("tcp", port)
	if f == nil {
		return nil, nil
	}
	l, err := net.FileListener(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("take over the socket %s from systemd: %w", f.Name(), err)
	}
	return l, nil
}

// unused tells of sockets that no listener has taken: what is sent to them would
// wait for ever.
func (in *inherited) unused() error {
	var left []string
	for key := range in.sockets {
		left = append(left, key.String())
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("systemd passes sockets that no listener is configured for (%s): give --tcp-port, --udp-port, --port or --relp-port as well (--dtls-port for one of UDP), or take them out of the socket unit",
		strings.Join(left, ", "))
}

func (in *inherited) close() {
	for _, f := range in.sockets {
		_ = f.Close()
	}
	clear(in.sockets)
}
