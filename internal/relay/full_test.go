package relay

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

// disk is what lies between the sockets and AWS, on a file system in memory,
// without uploads.
type disk struct {
	*Relay
	t    *testing.T
	fs   *faultfs.FS
	log  *syncBuffer
	sent int
}

const generation = 64 << 10

func newDisk(t *testing.T, dropOldest bool) *disk {
	t.Helper()
	d := &disk{t: t, fs: faultfs.New(1), log: &syncBuffer{}}
	if err := d.fs.Mkdir("/spool", 0o700); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(d.log, nil))
	r := &Relay{ledger: ledger.New(), log: logger, budget: newBudget(4<<20, generation)}
	d.Relay = r
	r.reserve = newReserve(d.fs, "/spool", r.budget, logger)
	registry := prometheus.NewRegistry()
	var err error
	if r.spool, err = spool.Open(spool.Options{
		Dir: "/spool", FS: d.fs, Ledger: r.ledger, Logger: logger, Registerer: registry, Budget: r.budget,
	}); err != nil {
		t.Fatal(err)
	}
	intake := journal.Budget(r.budget)
	var makeRoom func() bool
	if dropOldest {
		intake, makeRoom = dropping{r.budget, r.spool, new(sync.Mutex)}, r.spool.DropOldest
	}
	if r.journal, err = journal.Open(journal.Options{
		Dir: "/spool", Shards: 2, GenerationBytes: generation, FlushInterval: time.Minute, SyncInterval: time.Second,
		FS: d.fs, Budget: intake, Ledger: r.ledger, Logger: logger, Registerer: registry,
	}); err != nil {
		t.Fatal(err)
	}
	r.reserve.open()
	maker, err := batch.NewMaker(batch.Options{
		GroupPrefix: "/k", Owner: func() string { return "000000000000" }, Level: 1, Rules: batch.Rules{Location: time.UTC}, Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.journal.Close)
	for range 2 {
		c, err := maker.New()
		if err != nil {
			t.Fatal(err)
		}
		r.workers = append(r.workers, &handover{
			journal: r.journal, spool: r.spool, ledger: r.ledger, converter: c, budget: r.budget, reserve: r.reserve,
			compression: new(compression), log: logger, counts: map[string]uint64{},
		})
	}
	go r.reserve.keep(t.Context(), makeRoom)
	return d
}

// work begins to convert, and returns what waits for its end.
func (d *disk) work() (wait func()) {
	var workers sync.WaitGroup
	for _, w := range d.workers {
		workers.Go(func() { w.run(d.t.Context()) })
	}
	return workers.Wait
}

// commit puts n messages of several senders into the journal, as TCP or UDP do.
func (d *disk) commit(ctx context.Context, n int, block bool) error {
	a := d.journal.NewAppender()
	for range n {
		src := event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", d.sent%7))
		a.Add(src, time.Now().UnixMicro(), fmt.Appendf(nil, "<13>%08d %s", d.sent, noise(d.sent)))
		d.sent++
	}
	return a.Commit(ctx, block)
}

// fill lets others use up the disk, but for so many bytes.
func (d *disk) fill(but int64) {
	d.t.Helper()
	entries, err := d.fs.ReadDir("/spool")
	if err != nil {
		d.t.Fatal(err)
	}
	var used int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			d.t.Fatal(err)
		}
		used += info.Size()
	}
	d.fs.SetCapacity(used + but)
}

// deliver takes what is in the spool as Firehose would, and counts messages.
func (d *disk) deliver() (events int) {
	d.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(d.t.Context(), time.Second)
		recs, err := d.spool.Take(ctx, 500, 4<<20)
		cancel()
		if err != nil {
			return events
		}
		for _, r := range recs {
			events += r.Events
		}
		if err := d.spool.Delivered(recs); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *disk) balance() ledger.Balance {
	d.t.Helper()
	for _, b := range d.ledger.Snapshot() {
		if b.Listener == "tcp/514" {
			if b.Difference() != 0 {
				d.t.Errorf("the books do not balance: %+v", b)
			}
			return b
		}
	}
	d.t.Fatal("no books")
	return ledger.Balance{}
}

func TestADiskThatOthersFillDoesNotKeepTheJournalFromBeingDelivered(t *testing.T) {
	for _, left := range []int64{0, 100, 50_000} {
		synctest.Test(t, func(t *testing.T) {
			d := newDisk(t, false)
			for range 100 {
				if err := d.commit(t.Context(), 40, true); err != nil {
					t.Fatal(err)
				}
			}
			d.journal.Seal()
			d.fill(left)
			for range 100 { // UDP goes on, and is dropped
				if err := d.commit(t.Context(), 10, false); err != nil {
					t.Fatal(err)
				}
			}
			lost := int(d.balance().Dropped[journal.ReasonFull])
			if lost == 0 {
				t.Fatal("the disk did not fill up")
			}
			if full, refused := d.budget.Trouble(); !full || !isFull(refused) {
				t.Errorf("full %v, refused %v", full, refused)
			}
			if err := d.reserve.lend(func() error { return nil }); err != nil {
				t.Error(err)
			}
			if full, refused := d.budget.Trouble(); !full || !isFull(refused) {
				t.Errorf("after the reserve was back: full %v, refused %v", full, refused)
			}
			d.journal.Seal()
			wait := d.work()
			delivered := 0
			for until := time.Now().Add(5 * time.Minute); time.Now().Before(until) && d.budget.used.Load() > 0; {
				delivered += d.deliver()
			}
			if delivered != d.sent-lost {
				t.Fatalf("%d of %d messages were delivered, %d dropped\n%.3000s", delivered, d.sent, lost, d.log)
			}
			time.Sleep(2 * refusal)
			if d.budget.Full() {
				t.Errorf("intake does not go on: %v", d.budget.missing)
			}
			if err := d.commit(within(t, time.Minute), 10, true); err != nil {
				t.Fatal(err)
			}
			d.journal.Close()
			wait()
			if n := d.deliver(); n != 10 {
				t.Errorf("then %d messages were delivered of 10", n)
			}
			d.balance()
		})
	}
}

func TestAFullDiskIsUsedUpToTheLimitAndTCPWaitsUntilThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t, false)
		wait := d.work()
		for waited := false; !waited; {
			began := time.Now()
			if err := d.commit(within(t, 3*time.Second), 40, true); err != nil {
				t.Fatal(err)
			}
			waited = time.Since(began) >= 3*time.Second // and was written all the same, as at a shutdown
			if used := d.budget.used.Load(); used > d.budget.limit-d.budget.reserve {
				t.Fatalf("%d bytes are used of %d", used, d.budget.limit)
			}
		}
		if used := d.budget.used.Load(); used < d.budget.intake || !d.budget.Full() {
			t.Errorf("a sender had to wait with %d bytes in use of %d", used, d.budget.intake)
		}
		// A worker may be about to make room still; in the end there is none.
		committed, waits := make(chan error), false
		for i := 0; i < 100 && !waits; i++ {
			go func() { committed <- d.commit(t.Context(), 40, true) }()
			synctest.Wait()
			select {
			case err := <-committed:
				if err != nil {
					t.Fatal(err)
				}
			default:
				waits = true
			}
		}
		if !waits {
			t.Fatal("a sender was never made to wait")
		}
		n := d.deliver()
		if err := <-committed; err != nil {
			t.Error(err)
		}
		d.journal.Close()
		wait()
		if n += d.deliver(); n != d.sent {
			t.Errorf("%d of %d messages were delivered", n, d.sent)
		}
	})
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestDropOldestGivesUpWhatWaitsLongestAndNeverBlocks(t *testing.T) {
	for name, byOthers := range map[string]bool{"at the limit": false, "on a disk that others fill": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisk(t, true)
				wait := d.work()
				for i := range 500 { // more than there is room for
					if byOthers && i == 50 {
						d.fill(0)
					}
					began := time.Now()
					if err := d.commit(within(t, 5*time.Second), 40, true); err != nil || time.Since(began) >= 5*time.Second {
						t.Fatalf("commit %d took %v: %v\n%.3000s", i, time.Since(began), err, d.log)
					}
					time.Sleep(10 * time.Millisecond)
				}
				b := d.balance()
				lost := int(b.Dropped[spool.ReasonDropOldest])
				if lost == 0 || b.DroppedTotal() != uint64(lost) || int(b.HeldTotal()) != d.sent-lost {
					t.Errorf("of %d messages: %+v", d.sent, b)
				}
				d.journal.Close()
				wait()
				if n := d.deliver(); n != d.sent-int(d.balance().DroppedTotal()) {
					t.Errorf("%d of %d messages were delivered, %d were dropped", n, d.sent, lost)
				}
			})
		})
	}
}

func TestADeadLetterFindsRoomOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t, false)
		if err := d.commit(t.Context(), 10, true); err != nil {
			t.Fatal(err)
		}
		wait := d.work()
		d.journal.Close()
		wait()
		recs, err := d.spool.Take(t.Context(), 1, 1<<20)
		if err != nil || len(recs) != 1 {
			t.Fatal(recs, err)
		}
		d.fill(0)
		if err := (queue{d.spool, d.reserve}).DeadLetter(recs[0], "refused"); err != nil {
			t.Error(err)
		}
		if b := d.balance(); b.Held[ledger.DeadLetters] == 0 {
			t.Errorf("books %+v", b)
		}
	})
}

func TestTheForecastTellsWhenTheDiskWillBeFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(64<<20, 2<<20)
		f := newForecast(b, 10*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		go f.run(ctx)
		synctest.Wait()
		if s := f.seconds(); !math.IsInf(s, 1) {
			t.Errorf("at first: %v", s)
		}
		for range 30 {
			b.Use(1 << 20)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if s := f.seconds(); s < 17 || s > 19 { // 48 MiB, less 30, at 1 MiB/s
			t.Errorf("filling at 1 MiB/s with 18 MiB left: %v s", s)
		}
		time.Sleep(2 * time.Minute)
		if s := f.seconds(); !math.IsInf(s, 1) {
			t.Errorf("not filling any more: %v", s)
		}
		b.Use(18 << 20)
		if s := f.seconds(); s != 0 {
			t.Errorf("full: %v", s)
		}
		b.Free(40 << 20)
		time.Sleep(5 * time.Second)
		if s := f.seconds(); !math.IsInf(s, 1) {
			t.Errorf("emptying: %v", s)
		}
		cancel()
	})
}

func TestTheReserveStaysWhereMessagesWait(t *testing.T) {
	for _, held := range []int64{0, 1} {
		fs := faultfs.New(1)
		b := newBudget(16<<20, generation)
		r := newReserve(fs, "/", b, slog.New(slog.DiscardHandler))
		r.open()
		b.Use(held)
		r.close()
		if _, err := fs.Stat("/reserve"); (err == nil) != (held > 0) {
			t.Errorf("with %d bytes held: %v", held, err)
		}
	}
}

func TestReadinessSaysThatOthersFilledTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk(t, false)
		d.reserve.giveUp()
		d.fill(0)
		if err := d.reserve.restore(); !isFull(err) {
			t.Fatal(err)
		}
		full, refused := d.budget.Trouble()
		if !full || refused == nil || !strings.Contains(refused.Error(), "/spool/reserve") {
			t.Errorf("full %v: %v", full, refused)
		}
		d.fs.SetCapacity(0)
		time.Sleep(2 * refusal)
		if d.budget.Full() {
			t.Error("intake does not go on")
		}
		d.journal.Close()
	})
}
