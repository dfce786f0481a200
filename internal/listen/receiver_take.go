package listen

import (
	"context"
	"log/slog"
	"net/netip"

	"kinesyslog/internal/gelf"
	"kinesyslog/internal/syslog"
)

// commitBytes is how much of a batch is put into the journal together. Only one
// of long datagrams is more.
const commitBytes = 1 << 20

// taken is what became of a batch so far.
type taken struct {
	added         int // bytes that wait for a commit
	empty, kernel uint64
	fast          tally
}

// take puts the first n datagrams of the batch into the journal and books what
// cannot be taken. It allocates nothing for a sender that is known. It returns
// their bytes, and counts one for an empty one.
func (r *receiver) take(ctx context.Context, n int, received int64) (size int) {
	var t taken
	for i := range n {
		if count, ok := r.batch.drops(i); ok {
			t.kernel += r.socket.newDrops(count)
		}
		run, segment, peer := r.batch.text(i), r.batch.segment(i), r.batch.sender(i)
		size += max(len(run), 1)
		for {
			length := min(segment, len(run))
			r.add(&t, peer, received, run[:length:length])
			if run = run[length:]; len(run) == 0 {
				break
			}
		}
		if t.added >= commitBytes {
			r.commit(ctx, &t)
		}
	}
	r.drop(dropKernel, t.kernel)
	r.drop(dropEmpty, t.empty)
	if t.fast.messages > 0 {
		r.udp.opts.Ledger.Drop(r.udp.name, dropRate, t.fast.messages, t.fast.bytes)
	}
	r.gelf.book()
	r.commit(ctx, &t)
	return size
}

// add gives the message of one datagram to the appender, if there is one.
func (r *receiver) add(t *taken, peer netip.Addr, received int64, datagram []byte) {
	u := r.udp
	ip, via, text, ok := u.admit(peer, datagram)
	if !ok {
		return
	}
	if !u.opts.Limits.admits(ip) {
		t.fast.messages++
		t.fast.bytes += uint64(len(text))
		u.fast.warn(slog.Any("sender", ip))
		return
	}
	from := r.own
	if u.opts.Format == formatGELF || gelf.Looks(text) != gelf.None {
		var isGELF bool
		if text, isGELF = r.gelf.decode(received, ip, text); text == nil {
			return
		}
		if isGELF {
			from = r.asGELF
		}
	} else {
		text = syslog.TrimDatagram(text)
	}
	if len(text) == 0 {
		t.empty++
		return
	}
	if len(text) > u.opts.MaxMessage {
		text = text[:u.opts.MaxMessage]
		u.metrics.cut.Inc()
	}
	r.appender.Add(from.through(via, ip), received, text)
	t.added += len(text)
}

// commit puts what was added into the journal: it survives a kill on return.
func (r *receiver) commit(ctx context.Context, t *taken) {
	if t.added == 0 {
		return
	}
	if err := r.appender.Commit(ctx, false); err != nil {
		r.udp.lost.warn(slog.Any("error", err))
	}
	t.added = 0
}

func (r *receiver) bookKernelDrops() {
	if count, err := r.socket.kernelDrops(); err == nil { // or SO_RXQ_OVFL has to do
		r.drop(dropKernel, r.socket.newDrops(count))
	}
}

func (r *receiver) drop(reason string, messages uint64) {
	if messages > 0 {
		r.udp.opts.Ledger.Drop(r.udp.name, reason, messages, 0)
		if reason == dropKernel {
			r.udp.overrun.warn(slog.Uint64("datagrams", messages))
		}
	}
}
