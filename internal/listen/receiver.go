package listen

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
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

	previous int64 // when the last batch was read, in microseconds
	gathered bool  // whether we paused after it
}

// gatherPause is how long datagrams are left to gather in the socket when many
// come: then a system call and a commit take fifty of them, not two. It is a
// hundredth of what the receive buffer can hold at 100,000 a second.
const gatherPause = time.Millisecond

func newReceiver(u *UDP, s *socket) *receiver {
	return &receiver{
		udp: u, socket: s,
		batch:    newDatagrams(),
		appender: u.opts.Journal.NewAppender(),
		now:      func() int64 { return time.Now().UnixMicro() },
		gelf:     newGELFDatagrams(u),
		own:      newSenders(u.sources),
		asGELF:   newSenders(u.gelfSources),
	}
}

// run reads until ctx is done, and then what the kernel held by then.
func (r *receiver) run(ctx context.Context) error {
	defer r.gelf.close()
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
// It returns their bytes, 0 if there were none. The error is one after which
// there is no point in reading again.
func (r *receiver) step(ctx context.Context, flags int) (int, error) {
	n, err := r.batch.receive(r.socket.fd, flags)
	switch {
	case err == nil:
		now := r.now()
		size := r.take(ctx, n, now)
		r.gelf.expire(now)
		r.gathered = flags&unix.MSG_DONTWAIT == 0 && worthGathering(n, now-r.previous, r.gathered)
		r.previous = now
		if r.gathered {
			pause := unix.NsecToTimespec(gatherPause.Nanoseconds())
			_ = unix.Nanosleep(&pause, nil) // a signal may shorten it
		}
		return size, nil
	case errors.Is(err, unix.EAGAIN):
		// Nothing came for a while, so no datagram told of drops.
		r.bookKernelDrops()
		r.gelf.expire(r.now())
		return 0, nil
	case errors.Is(err, unix.EINTR):
		return 0, nil
	case errors.Is(err, unix.EBADF), errors.Is(err, unix.ENOTSOCK), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return 0, err
	}
	r.udp.failed.warn(slog.Any("error", err))
	time.Sleep(pollInterval) // for memory, most likely
	return 0, nil
}

// worthGathering tells from a batch, the microseconds since the one before, and
// whether there was a pause between them, if more than some 4,000 datagrams a
// second come. A full batch needs no pause: more is there already.
func worthGathering(n int, gap int64, gathered bool) bool {
	if n == batchSize {
		return false
	}
	return gap < 250 || gathered && n >= 4
}

// take puts the first n datagrams of the batch into the journal and books what
// cannot be taken. It allocates nothing for a sender that is known.
func (r *receiver) take(ctx context.Context, n int, received int64) (size int) {
	u := r.udp
	var empty, kernel uint64
	var fast tally
	added := false
	for i := range n {
		if count, ok := r.batch.drops(i); ok {
			kernel += r.socket.newDrops(count)
		}
		text := r.batch.text(i)
		size += max(len(text), 1)
		ip, text, ok := u.admit(r.batch.sender(i), text)
		if !ok {
			continue
		}
		if !u.opts.Limits.admits(ip) {
			fast.messages++
			fast.bytes += uint64(len(text))
			u.fast.warn(slog.Any("sender", ip))
			continue
		}
		from := r.own
		if u.opts.Format == formatGELF || gelf.Looks(text) != gelf.None {
			var isGELF bool
			if text, isGELF = r.gelf.decode(received, ip, text); text == nil {
				continue
			}
			if isGELF {
				from = r.asGELF
			}
		} else {
			text = syslog.TrimDatagram(text)
		}
		if len(text) == 0 {
			empty++
			continue
		}
		if len(text) > u.opts.MaxMessage {
			text = text[:u.opts.MaxMessage]
			u.metrics.cut.Inc()
		}
		r.appender.Add(from.get(ip), received, text)
		added = true
	}
	r.drop(dropKernel, kernel)
	r.drop(dropEmpty, empty)
	if fast.messages > 0 {
		u.opts.Ledger.Drop(u.name, dropRate, fast.messages, fast.bytes)
	}
	r.gelf.book()
	if added {
		if err := r.appender.Commit(ctx, false); err != nil {
			u.lost.warn(slog.Any("error", err))
		}
	}
	return size
}

func (r *receiver) bookKernelDrops() {
	if count, err := r.socket.kernelDrops(); err == nil { // or SO_RXQ_OVFL has to do
		r.drop(dropKernel, r.socket.newDrops(count))
	}
}

func (r *receiver) drop(reason string, messages uint64) {
	if messages > 0 {
		r.udp.opts.Ledger.Drop(r.udp.name, reason, messages, 0)
	}
}
