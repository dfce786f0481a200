package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// UnixDatagram takes messages over a Unix datagram socket, as /dev/log is: one
// datagram is one message. Unlike UDP nothing is lost when the journal has no
// room: the kernel makes senders wait. What a user sends over the rate of
// Limits is dropped all the same: whoever waited would make all others wait.
type UnixDatagram struct {
	opts    UnixOptions
	name    string
	path    *socketPath
	conn    *net.UnixConn
	own     *event.Source // of messages in the listener's format
	asGELF  *event.Source
	metrics *metrics
	rates   *rates[uint32] // nil: no limit

	lost, fast *sampled
}

// NewUnixDatagram makes the socket, so that datagrams are held by the kernel
// until Run takes them. Close it if Run is not called.
func NewUnixDatagram(opts UnixOptions) (*UnixDatagram, error) {
	u := &UnixDatagram{opts: opts, name: kindUnix + ":" + opts.Path, rates: opts.Limits.userRates()}
	var err error
	if u.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	if u.opts.Format == "" {
		u.opts.Format = formatSyslog
	}
	if u.opts.Drain == 0 {
		u.opts.Drain = DefaultDrain
	}
	u.path, err = bindUnix(opts, "unixgram", func(addr *net.UnixAddr) (err error) {
		u.conn, err = listenUnixgram(addr, u.rates != nil)
		return err
	})
	if err != nil {
		if u.conn != nil {
			u.conn.Close()
		}
		return nil, err
	}
	if u.metrics, err = newUnixMetrics(opts.Registerer, u.name); err != nil {
		u.Close()
		return nil, err
	}
	u.own = event.NewSource(u.name, u.opts.Format, kindUnix, localName())
	u.asGELF = u.own
	if u.opts.Format != formatGELF {
		u.asGELF = event.NewSource(u.name, formatGELF, kindUnix, localName())
	}
	log := opts.Logger.With("listener", u.name)
	u.metrics.tellCuts(log)
	u.lost = newSampled(log, "messages dropped because the journal did not take them")
	u.fast = newSampled(log, "datagrams dropped: their user sends more messages a second than --rate-limit: raise it, or stop the program that sends so many")
	opts.Ledger.Open(u.name)
	return u, nil
}

// Name is the listener's name in metrics and in the ledger: "unix:/dev/log".
func (u *UnixDatagram) Name() string { return u.name }

// Addr is the path.
func (u *UnixDatagram) Addr() net.Addr { return u.conn.LocalAddr() }

// Close removes the socket without Run.
func (u *UnixDatagram) Close() error {
	u.path.remove()
	return u.conn.Close()
}

// Run reads datagrams until ctx is done. Then it removes the socket, reads what
// the kernel holds, for UnixOptions.Drain at most, and returns.
func (u *UnixDatagram) Run(ctx context.Context) error {
	defer u.Close()
	raw, err := u.conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("read datagrams of %s: %w", u.name, err)
	}
	committing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stop := context.AfterFunc(ctx, func() {
		u.path.remove()
		_ = u.conn.SetReadDeadline(time.Now()) // fails only for a closed socket
		time.AfterFunc(u.opts.Drain, giveUp)
	})
	defer stop()
	appender, in := u.opts.Journal.NewAppender(), newUnixReader(u.opts.MaxMessage+64, u.rates != nil)
	for committing.Err() == nil {
		n, draining := 0, ctx.Err() != nil
		var err error
		if draining {
			err = raw.Control(func(fd uintptr) { n = u.take(int(fd), in, appender) })
		} else {
			err = raw.Read(func(fd uintptr) bool {
				n = u.take(int(fd), in, appender)
				return n > 0
			})
		}
		switch {
		case n > 0:
			if err := appender.Commit(committing, true); err != nil {
				u.lost.warn(slog.Any("error", err))
			}
		case draining:
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("read datagrams of %s: %w", u.name, err)
		}
	}
	return nil
}

// take gives the datagrams that are there to the appender, but not more than a
// batch, and returns how many were read.
func (u *UnixDatagram) take(fd int, in *unixReader, appender Appender) (read int) {
	empty := uint64(0)
	var fast tally
	for ; read < batchSize; read++ {
		text, uid, err := in.read(fd)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			break // EAGAIN: there are no more
		}
		if !u.rates.admits(uid) {
			fast.messages++
			fast.bytes += uint64(len(text))
			u.fast.warn(slog.Uint64("uid", uint64(uid)))
			continue
		}
		text = syslog.TrimDatagram(text)
		if len(text) == 0 {
			empty++
			continue
		}
		if len(text) > u.opts.MaxMessage {
			text = text[:u.opts.MaxMessage]
			u.metrics.cut.Inc()
		}
		source := u.own
		if gelf.Looks(text) == gelf.JSON {
			source = u.asGELF
		}
		appender.Add(source, time.Now().UnixMicro(), text)
	}
	if empty > 0 {
		u.opts.Ledger.Drop(u.name, dropEmpty, empty, 0)
	}
	if fast.messages > 0 {
		u.opts.Ledger.Drop(u.name, dropRate, fast.messages, fast.bytes)
	}
	return read
}
