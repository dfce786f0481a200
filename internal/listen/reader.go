package listen

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// trimInterval is how often a connection's buffer is fitted to its use.
	trimInterval = 10 * time.Second
	// drainQuiet is how long a connection must be silent at shutdown to be
	// taken as read out.
	drainQuiet = 100 * time.Millisecond
)

// Why a connection was ended that its sender wanted to go on.
var (
	errIdle     = errors.New("nothing came for so long as --idle-timeout says")
	errNoMemory = errors.New("a message is longer than there is memory for: too many connections have sent long messages in part, raise --max-connection-memory")
)

// reader reads one connection into a buffer, which it keeps no larger than the
// connection makes use of.
type reader struct {
	conn     net.Conn
	raw      syscall.RawConn // of conn, if it is to be read into borrowed memory; else nil
	stopping func() bool     // reports whether the listener shuts down
	buf      *buffer

	// pace waits until the sender may send more than the messages just taken.
	pace func(ctx context.Context, messages int)
	idle time.Duration // silent for so long, the connection has ended; 0: never

	came    bool      // the last read brought data
	heard   time.Time // since when nothing came
	armed   bool      // a read deadline is set, for the next trim or the end
	expired bool      // the read deadline has passed
}

// read waits for data and returns how many bytes came, which may be none: the
// wait also ends when the listener begins to shut down, and from time to time.
// While draining it waits for drainQuiet at most, and os.ErrDeadlineExceeded
// says that nothing came. Every error means that no more will be read.
func (r *reader) read(draining bool) (int, error) {
	if r.idle > 0 && r.came {
		r.heard = time.Now() // not before: the sender may have waited for us
	}
	r.setDeadline(draining)
	if !draining && r.stopping() {
		return 0, nil // the deadline just set may hide the one that was to wake us
	}
	n, err := r.fill()
	r.came = n > 0
	if !draining && errors.Is(err, os.ErrDeadlineExceeded) {
		r.buf.trim()
		r.armed, r.expired = false, true
		err = nil
		if n == 0 && r.idle > 0 && time.Since(r.heard) >= r.idle && !r.stopping() {
			err = errIdle
		}
	}
	return n, err
}

// fill reads once into the buffer.
func (r *reader) fill() (n int, err error) {
	if r.raw == nil {
		space := r.buf.space()
		if len(space) == 0 {
			return 0, errNoMemory
		}
		n, err = r.conn.Read(space)
		r.buf.filled(n)
		return n, err
	}
	// Memory is borrowed only when there is something to be read into it.
	waited := r.raw.Read(func(fd uintptr) bool {
		r.buf.borrow()
		space := r.buf.space()
		if len(space) == 0 {
			err = errNoMemory
			return true
		}
		for {
			n, err = unix.Read(int(fd), space)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		n = max(n, 0)
		r.buf.filled(n)
		if errors.Is(err, unix.EAGAIN) {
			err = nil
			r.buf.settle() // no more is held than before
			return false
		}
		if n == 0 && err == nil {
			err = io.EOF
		}
		return true
	})
	if waited != nil {
		return 0, waited
	}
	if err != nil && err != io.EOF && err != errNoMemory {
		err = os.NewSyscallError("read", err)
	}
	return n, err
}

// setDeadline wakes the next Read up for the end of a drain, or for the next
// trim. A connection with a small buffer sleeps until data comes.
func (r *reader) setDeadline(draining bool) {
	var err error
	switch {
	case draining:
		err = r.conn.SetReadDeadline(time.Now().Add(drainQuiet))
	case r.armed:
	case r.buf.large():
		r.armed = true
		wait := trimInterval
		if r.idle > 0 {
			wait = min(wait, time.Until(r.heard.Add(r.idle)))
		}
		err = r.conn.SetReadDeadline(time.Now().Add(wait))
	case r.idle > 0:
		r.armed = true
		err = r.conn.SetReadDeadline(r.heard.Add(r.idle))
	case r.expired:
		r.expired = false
		err = r.conn.SetReadDeadline(time.Time{})
	}
	_ = err // only for a closed connection: the Read that follows says it
}

// borrowing makes the reader use the lender's memory, if that is possible: it is
// not where something lies between the socket and us, like TLS. The caller
// calls buf.settle before anything that may take its time but the journal.
func (r *reader) borrowing(l *lender) bool {
	plain, ok := r.conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return false // it is closed, and Read says so
	}
	r.raw, r.buf.lender = raw, l
	return true
}

// release gives back what the buffer has taken of the limits and of the lender.
func (r *reader) release() { r.buf.release() }
