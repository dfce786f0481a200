package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
)

const (
	kindUnix = "unix"
	// DefaultUnixMode lets every user of the host send, as with /dev/log.
	DefaultUnixMode = fs.FileMode(0o666)
	// longestUnixPath is what fits into a sockaddr_un with its final zero.
	longestUnixPath = 107
)

// UnixOptions say what a listener on a Unix socket does. Path, Journal, Ledger
// and Logger are required.
type UnixOptions struct {
	// Path is where the socket is made. One that nobody listens on any more is
	// replaced; whatever else is there is left alone. It is removed at the end.
	Path string
	Mode fs.FileMode // who may send; 0: DefaultUnixMode
	// Owner, if it is not nil, is called with the path of the socket that was
	// made, before its mode is set, to give it to somebody.
	Owner func(path string) error

	Format     string        // as in TCPOptions
	MaxMessage int           // bytes; 0: DefaultMaxMessage
	Limits     *Limits       // of datagrams only the rate; nil: none
	Idle       time.Duration // as in TCPOptions, of streams
	Drain      time.Duration // 0: DefaultDrain

	Journal    Journal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// UnixStream takes messages over a Unix stream socket, framed as over TCP.
type UnixStream struct {
	*TCP
	path *socketPath
}

// NewUnixStream makes the socket. Close it if Run is not called.
func NewUnixStream(opts UnixOptions) (*UnixStream, error) {
	u := &UnixStream{}
	var ln *net.UnixListener
	var err error
	u.path, err = bindUnix(opts, "unix", func(addr *net.UnixAddr) (err error) {
		ln, err = net.ListenUnix("unix", addr)
		return err
	})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // u.path does, if it is still ours
	u.TCP, err = NewTCP(TCPOptions{
		Listener: ln, local: localName(), Format: opts.Format, MaxMessage: opts.MaxMessage, Limits: opts.Limits, Idle: opts.Idle, Drain: opts.Drain,
		Journal: opts.Journal, Ledger: opts.Ledger, Logger: opts.Logger, Registerer: opts.Registerer,
	})
	if err != nil {
		ln.Close()
		u.path.remove()
		return nil, err
	}
	return u, nil
}

// Run is that of TCP. The socket is removed as soon as ctx is done.
func (u *UnixStream) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, u.path.remove)
	defer stop()
	defer u.path.remove()
	return u.TCP.Run(ctx)
}

// Close removes the socket without Run.
func (u *UnixStream) Close() error {
	u.path.remove()
	return u.TCP.Close()
}

// localName is the sender of what comes through Unix sockets: this host.
func localName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// socketPath is a socket in the file system, as it was made.
type socketPath struct {
	path string
	made fs.FileInfo
}

// bindUnix calls listen for the path after a socket that nobody listens on was
// removed, and sets its mode. network is "unix" or "unixgram".
func bindUnix(opts UnixOptions, network string, listen func(*net.UnixAddr) error) (*socketPath, error) {
	if len(opts.Path) > longestUnixPath {
		return nil, fmt.Errorf("listen on unix socket %s: its path has %d bytes, %d are possible", opts.Path, len(opts.Path), longestUnixPath)
	}
	if err := removeStale(opts.Path, network); err != nil {
		return nil, fmt.Errorf("listen on unix socket %s: %w", opts.Path, err)
	}
	if err := listen(&net.UnixAddr{Name: opts.Path, Net: network}); err != nil {
		errno, hint := syscall.Errno(0), ""
		if errors.As(err, &errno) {
			err = errno
		}
		switch errno {
		case syscall.ENOENT:
			hint = ": make its directory first"
		case syscall.EACCES, syscall.EROFS:
			hint = ": its directory must be writable"
		}
		return nil, fmt.Errorf("listen on unix socket %s: %w%s", opts.Path, err, hint)
	}
	if opts.Owner != nil {
		if err := opts.Owner(opts.Path); err != nil {
			return nil, fmt.Errorf("give unix socket away: %w", err)
		}
	}
	mode := opts.Mode
	if mode == 0 {
		mode = DefaultUnixMode
	}
	if err := os.Chmod(opts.Path, mode); err != nil {
		return nil, fmt.Errorf("set the mode of unix socket: %w", err)
	}
	made, err := os.Lstat(opts.Path)
	if err != nil {
		return nil, fmt.Errorf("look at unix socket: %w", err)
	}
	return &socketPath{opts.Path, made}, nil
}

// removeStale removes a socket that an earlier process has left.
func removeStale(path, network string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("something else than a socket is there: give another path, or remove it")
	}
	conn, err := net.Dial(network, path)
	if err == nil {
		conn.Close()
	}
	if err == nil || errors.Is(err, syscall.EPROTOTYPE) {
		return errors.New("another program listens there (ss -xlp)")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// remove takes the socket out of the file system, unless another one is there
// by now.
func (s *socketPath) remove() {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.made) {
		_ = os.Remove(s.path) // a stale one does no harm: the next start replaces it
	}
}
