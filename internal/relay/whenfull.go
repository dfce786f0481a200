package relay

import (
	"context"
	"sync"

	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/spool"
)

// dropping is the budget of --when-full=drop-oldest: whoever finds no room
// makes some, by giving up the oldest records that are not on their way. Intake
// stops only where there is nothing to give up.
type dropping struct {
	*budget
	spool *spool.Spool
	one   *sync.Mutex // at a time, or many would make room for the same message
}

var _ journal.Budget = dropping{}

// Full implements journal.Budget.
func (d dropping) Full() bool {
	if d.used.Load() >= d.intake {
		d.makeRoom()
	}
	return d.budget.Full()
}

func (d dropping) makeRoom() {
	d.one.Lock()
	defer d.one.Unlock()
	for d.used.Load() >= d.intake && d.spool.DropOldest() {
	}
}

// Refused implements journal.Budget. A disk that is full has room for the next
// try once the oldest file is gone.
func (d dropping) Refused(err error) {
	if isFull(err) && d.spool.DropOldest() {
		return
	}
	d.budget.Refused(err)
}

// Wait implements journal.Budget.
func (d dropping) Wait(ctx context.Context) error {
	return d.await(ctx, func() bool { return !d.Full() })
}

// intake is the budget as the journal sees it.
func (r *Relay) intake() journal.Budget {
	if r.cfg.DropOldest {
		return dropping{r.budget, r.spool, new(sync.Mutex)}
	}
	return r.budget
}

// makeRoom gives the oldest records up, or is nil where they are to be kept.
func (r *Relay) makeRoom() func() bool {
	if r.cfg.DropOldest {
		return r.spool.DropOldest
	}
	return nil
}

// queue is the spool as the uploader sees it. A record that Firehose refuses
// must not stop the others because there is no room for its dead letter.
type queue struct {
	*spool.Spool
	reserve *reserve
}

// DeadLetter implements upload.Queue.
func (q queue) DeadLetter(rec event.Stored, reason string) error {
	err := q.Spool.DeadLetter(rec, reason)
	if isFull(err) {
		err = q.reserve.lend(func() error { return q.Spool.DeadLetter(rec, reason) })
	}
	return err
}
