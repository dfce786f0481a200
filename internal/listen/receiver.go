package listen

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"
)

// receiver reads one socket of a UDP listener, in one goroutine.
type receiver struct {
	udp      *UDP
	socket   *socket
	batch    *datagrams
	appender Appender
	now      func() int64 // microseconds since 1970: the system's clock, but in tests

	gelf   *gelfDatagrams
	own    *senders // of messages in the listener's format
	asGELF *senders

	gathering gathering
	waits     [2]unix.PollFd // for the socket and for the bell
	settled   bool           // all was booked since the last datagram came
	left      time.Time      // when the last read ended, if nobody waits for datagrams since
}

func newReceiver(u *UDP, s *socket) *receiver {
	return &receiver{
		udp: u, socket: s,
		batch:     newDatagrams(),
		appender:  u.opts.Journal.NewAppender(),
		now:       func() int64 { return time.Now().UnixMicro() },
		gelf:      newGELFDatagrams(u),
		own:       newSenders(u.sources),
		asGELF:    newSenders(u.gelfSources),
		gathering: gathering{buffer: s.bufferSize(), readers: max(u.opts.Readers, len(u.sockets))},
		waits:     [2]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: -1, Events: unix.POLLIN}},
	}
}

// run reads until ctx is done, of which the bell tells, and then what the kernel
// held by then.
func (r *receiver) run(ctx context.Context, b *bell) error {
	defer r.gelf.close()
	r.waits[1].Fd = int32(b.fd)
	committing := context.WithoutCancel(ctx) // nothing waits in it
	for ctx.Err() == nil {
		if _, err := r.step(committing, 0); err != nil {
			return err
		}
	}
	// No more than the buffer can hold: a sender that goes on must not keep us.
	left := r.socket.bufferSize()
	for end := time.Now().Add(r.udp.opts.Drain); left > 0 && time.Now().Before(end); {
		n, err := r.step(committing, unix.MSG_DONTWAIT)
		if err != nil || n == 0 {
			break
		}
		left -= n
	}
	r.bookKernelDrops()
	return nil
}

// step reads the datagrams of one system call and puts them into the journal.
// It returns their bytes, 0 if there were none. Without MSG_DONTWAIT it waits for
// them beforehand, and may leave more of them to gather afterwards. The error is
// one after which there is no point in reading again.
func (r *receiver) step(ctx context.Context, flags int) (int, error) {
	waits := flags&unix.MSG_DONTWAIT == 0
	if waits && r.gathering.state == await && !r.wait() {
		return 0, nil
	}
	if !r.left.IsZero() {
		r.udp.metrics.readGap.Observe(time.Since(r.left).Seconds())
	}
	n, err := r.batch.receive(r.socket.fd)
	r.left = time.Now()
	switch {
	case err == nil || errors.Is(err, unix.EAGAIN):
		now := r.now()
		size := r.take(ctx, n, now)
		r.gelf.expire(now)
		if waits {
			if what, pause := r.gathering.after(n, size, r.left); what == gather {
				r.gathering.pause(pause)
			}
		}
		return size, nil
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case errors.Is(err, unix.EBADF), errors.Is(err, unix.ENOTSOCK), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return 0, err
	}
	r.udp.failed.warn(slog.Any("error", err))
	time.Sleep(pollInterval) // for memory, most likely
	return 0, nil
}

// wait returns true when a datagram is there. It returns false when the bell
// rings, and when nothing came for a while, once: then it has booked what no
// datagram tells of, and the next call waits for as long as it takes.
func (r *receiver) wait() bool {
	r.left = time.Time{}
	switch n, err := unix.Poll(r.waits[:], r.patience()); {
	case err != nil:
		return false // a signal, or no memory for a moment
	case n == 0:
		r.bookKernelDrops()
		r.gelf.expire(r.now())
		r.settled = true
		return false
	}
	if r.waits[0].Revents == 0 {
		return false
	}
	r.settled = false
	return true
}

// patience is how many milliseconds to wait for a datagram before something is
// to be done without one, -1 if there is nothing to do.
func (r *receiver) patience() int {
	if r.settled && r.gelf.incomplete == 0 {
		return -1
	}
	return int(pollInterval.Milliseconds())
}
