package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"
)

// receive gives datagrams to their peers until the socket is closed.
func (d *DTLS) receive(ctx context.Context) {
	buf := make([]byte, 64<<10)
	booked := time.Now()
	for {
		if now := time.Now(); now.Sub(booked) >= pollInterval {
			d.bookKernelDrops()
			booked = now
		}
		_ = d.conn.SetReadDeadline(time.Now().Add(pollInterval)) // fails only if closed, as the next line does
		n, from, err := d.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			d.take(ctx, from, buf[:n])
		case errors.Is(err, net.ErrClosed):
			return
		case !errors.Is(err, os.ErrDeadlineExceeded):
			d.failed.warn(slog.Any("error", err))
			time.Sleep(pollInterval) // for memory, most likely
		}
	}
}

// take gives a datagram to its peer. Nothing is answered to those who may not
// send, nor to what is not the begin of a handshake.
func (d *DTLS) take(ctx context.Context, from netip.AddrPort, datagram []byte) {
	sender := canonical(from.Addr())
	if d.opts.Allow != nil && !d.opts.Allow(sender) {
		d.metrics.refusedSender.Inc()
		d.refusedSender.warn(slog.Any("sender", sender))
		return
	}
	if len(datagram) == 0 {
		d.ignore(sender)
		return
	}
	if len(datagram) > maxDTLSDatagram {
		d.drop(dropTooLong, sender, len(datagram))
		return
	}
	peer, delivered := d.peers.give(from, datagram, func() *dtlsPeer {
		if !isDTLSHandshake(datagram) || datagram[dtlsHandshakeType] != dtlsClientHello {
			return nil
		}
		return newDTLSPeer(d, from, sender)
	}, func(p *dtlsPeer) { d.serve(ctx, p) })
	switch {
	case peer == nil:
		d.ignore(sender)
	case !delivered:
		d.drop(dropQueue, sender, len(datagram))
	}
}

// ignore counts and logs a datagram that is of no session.
func (d *DTLS) ignore(sender netip.Addr) {
	d.metrics.noSession.Inc()
	d.strange.warn(slog.Any("sender", sender))
}

func (d *DTLS) drop(reason string, sender netip.Addr, size int) {
	d.opts.Ledger.Drop(d.name, reason, 1, uint64(size))
	d.dropped.warn(slog.Any("sender", sender), slog.String("reason", reason))
}

// connect takes a place among the connections for a peer, and counts it if
// there is none.
func (d *DTLS) connect(p *dtlsPeer) error {
	if !d.peers.proven(p) {
		return net.ErrClosed
	}
	if !d.opts.Limits.connect() {
		d.metrics.refusedLimit.Inc()
		d.refused.warn(slog.Any("sender", p.sender), slog.Any("error", errFull))
		return errFull
	}
	if !d.opts.Limits.connectFrom(p.sender) {
		d.opts.Limits.disconnect()
		d.metrics.refusedAddress.Inc()
		d.refused.warn(slog.Any("sender", p.sender), slog.Any("error", errFullAddress))
		return errFullAddress
	}
	d.metrics.accepted.Inc()
	d.metrics.connections.Inc()
	return nil
}

func (d *DTLS) disconnect(p *dtlsPeer) {
	d.opts.Limits.disconnectFrom(p.sender)
	d.opts.Limits.disconnect()
	d.metrics.connections.Dec()
}

// withSocket lets the kernel be asked of the socket.
func (d *DTLS) withSocket(f func(*socket)) {
	raw, err := d.conn.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { // fails only if closed
			d.socket.fd = int(fd)
			f(&d.socket)
		})
	}
}

func (d *DTLS) bookKernelDrops() {
	d.withSocket(func(s *socket) {
		if count, err := s.kernelDrops(); err == nil {
			if n := s.newDrops(count); n > 0 {
				d.opts.Ledger.Drop(d.name, dropKernel, n, 0)
				d.overrun.warn(slog.Uint64("datagrams", n))
			}
		}
	})
}
