package listen

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// The formats of messages: middle parts of log groups.
const (
	formatSyslog = "syslog"
	formatGELF   = "gelf"
)

// expireInterval is how often messages are looked for whose chunks are late.
const expireInterval = int64(time.Second / time.Microsecond)

// gelfDatagrams makes messages of the GELF among one socket's datagrams: it
// puts chunks together and inflates. Messages of which chunks are missing are
// booked as dropped. Not for concurrent use.
type gelfDatagrams struct {
	udp        *UDP
	decoder    *gelf.Decoder[netip.Addr]
	lost       map[gelf.Reason]tally // not booked yet
	expired    int64                 // when the decoder was last told the time, in microseconds
	incomplete int                   // messages, as the gauge has it
}

// tally is a number of messages and of their bytes.
type tally struct{ messages, bytes uint64 }

func newGELFDatagrams(u *UDP) *gelfDatagrams {
	g := &gelfDatagrams{udp: u, lost: map[gelf.Reason]tally{}}
	g.decoder = gelf.NewDecoder(gelfLimits(len(u.sockets)), u.opts.MaxMessage, g.lose)
	return g
}

// gelfLimits share the memory for incomplete messages among a listener's
// sockets, but leave each enough for a few of the longest there are: 128 chunks
// of 8 KiB.
func gelfLimits(sockets int) gelf.Limits {
	size := max(16<<20/max(sockets, 1), 4<<20)
	return gelf.Limits{Bytes: size, SenderBytes: size / 2}
}

// decode returns the text of a message and whether it is GELF. Where it cannot
// be decoded the text is what came, in the listener's own format: syslog that
// begins like GELF is none, and no evidence is withheld. The text is nil while
// chunks are missing, and valid until the next call.
func (g *gelfDatagrams) decode(now int64, from netip.Addr, datagram []byte) (text []byte, isGELF bool) {
	u := g.udp
	text, err := g.decoder.Decode(now, from, datagram)
	switch {
	case text == nil:
		return nil, false
	case errors.Is(err, gelf.ErrTooLong):
		u.metrics.cut.Inc()
	case err != nil:
		u.gelfMetrics.undecoded(err).Inc()
		u.undecoded.warn(slog.Any("sender", from), slog.Any("error", err))
		return text, false
	}
	if u.opts.Format != formatGELF {
		u.gelfMetrics.recognised.Inc()
	}
	return syslog.TrimDatagram(text), true
}

// lose is told by the decoder of chunks that came to nothing.
func (g *gelfDatagrams) lose(from netip.Addr, l gelf.Loss) {
	if l.Reason == gelf.Duplicate {
		g.udp.gelfMetrics.duplicates.Inc()
		return
	}
	t := g.lost[l.Reason]
	t.messages++
	t.bytes += uint64(l.Bytes)
	g.lost[l.Reason] = t
	g.udp.incomplete.warn(slog.Any("sender", from), slog.String("reason", string(l.Reason)), slog.Int("chunks", l.Chunks))
}

// expire gives up messages whose chunks did not come in time. It does nothing
// if it did so less than a second ago.
func (g *gelfDatagrams) expire(now int64) {
	if since := now - g.expired; 0 <= since && since < expireInterval {
		return
	}
	g.expired = now
	g.decoder.Expire(now)
	g.book()
}

// close gives up all incomplete messages.
func (g *gelfDatagrams) close() {
	g.decoder.Close()
	g.book()
}

// book tells the ledger what was lost since the last call, once for each
// message. Until then the ledger knows nothing of it, on neither side.
func (g *gelfDatagrams) book() {
	if len(g.lost) > 0 {
		for reason, t := range g.lost {
			g.udp.opts.Ledger.Drop(g.udp.name, "gelf_"+string(reason), t.messages, t.bytes)
		}
		clear(g.lost)
	}
	if incomplete, _ := g.decoder.Waiting(); incomplete != g.incomplete {
		g.udp.gelfMetrics.incomplete.Add(float64(incomplete - g.incomplete))
		g.incomplete = incomplete
	}
}
