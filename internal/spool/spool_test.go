package spool_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/vfs"
)

func TestRecordsComeBackAsTheyWereAndTheirFileGoesWithTheLastOfThem(t *testing.T) {
	for _, fsys := range map[string]vfs.FS{"memory": newDisk(t, 1), "system": vfs.OS{}} {
		d := dir
		if _, ok := fsys.(vfs.OS); ok {
			d = t.TempDir()
		}
		b := mustOpen(t, fsys, d)
		want := records(20, 5000)
		want[7].Listener, want[7].RawBytes = strings.Repeat("l", spool.MaxListener), math.MaxInt64
		b.put(1, want...)
		st := b.Stats()
		if st.Files != 1 || st.Records != 20 || st.Events != 210 || st.Bytes != onDisk(t, fsys, d) {
			t.Errorf("stats %+v", st)
		}
		got := b.take(500, 4<<20)
		same(t, 1, want, got)
		must(t, b.Delivered(got[:10]))
		if diff := cmp.Diff([]string{name(1) + ".spool"}, filesIn(t, fsys, d)); diff != "" {
			t.Error(diff)
		}
		must(t, b.Delivered(got[10:]))
		if left := filesIn(t, fsys, d); len(left) != 0 {
			t.Errorf("left: %q", left)
		}
		if sum := b.balance(); sum.Delivered != 210 || sum.Held[ledger.Spool] != 0 {
			t.Errorf("books %+v", sum)
		}
		if b.budget.used.Load() != 0 {
			t.Errorf("%d bytes were not given back", b.budget.used.Load())
		}
		if diff := cmp.Diff(spool.Stats{}, b.Stats()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestOldestGoesFirstWhateverTheOrderOfCommits(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	for _, gen := range []int{3, 1, 4, 2} {
		b.put(gen, record(gen*10, 1, 10), record(gen*10+1, 1, 10))
	}
	got := b.take(3, 1000)
	got = append(got, b.take(500, 1000)...)
	var order []string
	for _, r := range got {
		order = append(order, r.File)
	}
	want := []string{name(1), name(1), name(2), name(2), name(3), name(3), name(4), name(4)}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestReturnedRecordsKeepTheirPlace(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	for gen := range 3 {
		b.put(gen, records(4, 100)...)
	}
	all := b.take(500, 1<<20)
	b.Return(all[6:8])
	b.Return(all[1:2])
	b.put(3, records(1, 100)...)
	got := b.take(3, 1<<20)
	if diff := cmp.Diff([]event.Stored{all[1], all[6], all[7]}, got); diff != "" {
		t.Error(diff)
	}
	if got := b.take(10, 1<<20); len(got) != 1 || got[0].File != name(3) {
		t.Errorf("then came %d records", len(got))
	}
}

func TestTakeKeepsItsLimitsButGivesAlwaysOne(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	b.put(1, record(1, 1, 100), record(2, 1, 50), record(3, 1, 51), record(4, 1, 1), record(5, 1, 1))
	for i, want := range []int{1, 1, 3} {
		if got := b.take(3, 99); len(got) != want {
			t.Errorf("call %d gave %d records, want %d", i, len(got), want)
		}
	}
}

func TestTakeWaitsForACommitAReturnAndTheEnd(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	took := make(chan []event.Stored)
	go func() {
		for {
			recs, err := b.Take(context.Background(), 1, 1000)
			if err != nil {
				t.Error(err)
			}
			took <- recs
			if recs == nil {
				return
			}
		}
	}()
	b.put(1, record(1, 1, 10))
	first := <-took
	b.Return(first)
	if again := <-took; !cmp.Equal(first, again) {
		t.Error("another record came")
	}
	must(t, b.Delivered(first))
	b.Close()
	if recs := <-took; recs != nil {
		t.Errorf("after the end came %v", recs)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Take(ctx, 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsOfferedBeforeTheJournalFileIsDropped(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	w, err := b.Create(name(1))
	must(t, err)
	must(t, w.Append(record(1, 5, 10)))
	failed := errors.New("journal file cannot be removed")
	err = w.Commit(func() error {
		if !b.Has(name(1)) {
			t.Error("done was called before the file was published")
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if n := spool.Available(b.Spool); n != 0 {
		t.Errorf("%d records are offered", n)
	}
	if !mustOpen(t, f.Crash(), dir).Has(name(1)) {
		t.Error("a restart would replay the journal")
	}
}

func TestACommitWhoseDoneFailedCanBeDoneAgainOrWrittenAnew(t *testing.T) {
	failed := errors.New("no")
	for _, anew := range []bool{false, true} {
		f := newDisk(t, 1)
		b := mustOpen(t, f, dir)
		w, err := b.Create(name(1))
		must(t, err)
		must(t, w.Append(record(1, 5, 10)))
		if err := w.Commit(func() error { return failed }); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		if anew {
			b.put(1, record(1, 5, 10))
			if err := w.Commit(func() error { return nil }); err == nil {
				t.Error("both writers were committed")
			}
		} else {
			b.ledger.Receive("tcp/1", 5, 0)
			must(t, w.Commit(func() error {
				b.ledger.Move("tcp/1", ledger.Journal, ledger.Spool, 5)
				return nil
			}))
			if err := w.Commit(func() error { return nil }); err == nil {
				t.Error("committed twice")
			}
		}
		got := b.take(10, 1000)
		same(t, 1, []event.Record{record(1, 5, 10)}, got)
		if b.budget.used.Load() != onDisk(t, f, dir) {
			t.Errorf("budget %d, on disk %d", b.budget.used.Load(), onDisk(t, f, dir))
		}
		must(t, b.Delivered(got))
		b.balance()
	}
}

func TestAFailedCommitLeavesNothingAndCanBeTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		what string
		op   faultfs.Op
	}{{"write", faultfs.OpWrite}, {"fsync", faultfs.OpSync}, {"close", faultfs.OpClose}, {"rename", faultfs.OpRename}, {"fsync of the directory", faultfs.OpSyncDir}} {
		t.Run(tt.what, func(t *testing.T) {
			f := newDisk(t, 1)
			b := mustOpen(t, f, dir)
			f.Inject(faultfs.Fault{Op: tt.op, Times: 1})
			called := false
			done := func() error { called = true; return nil }
			if err := b.tryPut(name(1), records(3, 1000), done); err == nil {
				t.Fatal("no error")
			}
			if called || spool.Available(b.Spool) != 0 {
				t.Error("the journal file was dropped or records were offered")
			}
			b.put(1, records(3, 1000)...)
			same(t, 1, records(3, 1000), b.take(10, 1<<20))
			if b.budget.used.Load() != onDisk(t, f, dir) {
				t.Errorf("budget %d, on disk %d", b.budget.used.Load(), onDisk(t, f, dir))
			}
			// The file of the failed fsync must not have been used again.
			same(t, 1, records(3, 1000), mustOpen(t, f.Crash(), dir).takeAll())
		})
	}
}

func TestAnUnfinishedFileThatCannotBeRemovedIsNeverUsedAgain(t *testing.T) {
	for _, renamed := range []bool{true, false} {
		f := newDisk(t, 1)
		b := mustOpen(t, f, dir)
		f.Inject(faultfs.Fault{Op: faultfs.OpSync, Times: 1})
		f.Inject(faultfs.Fault{Op: faultfs.OpRemove, Times: 1})
		left := ".part.bad"
		if !renamed {
			f.Inject(faultfs.Fault{Op: faultfs.OpRename, Times: 1})
			left = ".part"
		}
		if err := b.tryPut(name(1), records(3, 1000), func() error { return nil }); err == nil {
			t.Fatal("no error")
		}
		if diff := cmp.Diff([]string{name(1) + left}, filesIn(t, f, dir)); diff != "" {
			t.Error(diff)
		}
		b.put(1, records(3, 1000)...)
		if b.budget.used.Load() != onDisk(t, f, dir) {
			t.Errorf("budget %d, on disk %d", b.budget.used.Load(), onDisk(t, f, dir))
		}
		same(t, 1, records(3, 1000), mustOpen(t, f.Crash(), dir).takeAll())
	}
}

func TestAnEmptyGenerationIsDoneWithoutAFile(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	called := false
	must(t, b.tryPut(name(1), nil, func() error { called = true; return nil }))
	if !called || b.Has(name(1)) || len(filesIn(t, f, dir)) != 0 {
		t.Errorf("called %v, left %q", called, filesIn(t, f, dir))
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	w, err := b.Create(name(1))
	must(t, err)
	must(t, w.Append(record(1, 1, 1<<20)))
	if b.budget.used.Load() == 0 {
		t.Error("the budget does not know of the unfinished file")
	}
	must(t, w.Abort())
	if err := w.Append(record(1, 1, 1)); err == nil {
		t.Error("appended after Abort")
	}
	if err := w.Commit(func() error { return nil }); err == nil {
		t.Error("committed after Abort")
	}
	if b.budget.used.Load() != 0 || len(filesIn(t, f, dir)) != 0 {
		t.Errorf("left %q, %d bytes", filesIn(t, f, dir), b.budget.used.Load())
	}
	b.put(1, record(1, 1, 1))
}

func TestWrongUseIsAnErrorAndChangesNothing(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	for _, n := range []string{"", "1-0", "../../etc/passwd-000", strings.Repeat("9", 20), name(1) + ".spool"} {
		if _, err := b.Create(n); err == nil {
			t.Errorf("created %q", n)
		}
	}
	b.put(1, record(1, 7, 10), record(2, 7, 10))
	if _, err := b.Create(name(1)); err == nil {
		t.Error("created a name that is published")
	}
	w, err := b.Create(name(2))
	must(t, err)
	if _, err := b.Create(name(2)); err == nil {
		t.Error("created a name twice")
	}
	for what, r := range map[string]event.Record{
		"no data":       {Listener: "l", Events: 1},
		"too much data": {Listener: "l", Events: 1, Data: make([]byte, spool.MaxData+1)},
		"long listener": {Listener: strings.Repeat("l", spool.MaxListener+1), Data: []byte("x")},
		"negative":      {Listener: "l", Events: -1, Data: []byte("x")},
	} {
		if err := w.Append(r); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	got := b.take(1, 1000)
	waiting := event.Stored{File: name(1), Index: 1, Record: record(2, 7, 10)}
	must(t, b.Delivered(got))
	for what, rec := range map[string]event.Stored{
		"delivered": got[0], "waiting": waiting, "no such record": {File: name(1), Index: 9}, "no such file": {File: name(8)},
	} {
		if err := b.Delivered([]event.Stored{rec}); err == nil {
			t.Errorf("%s: delivered", what)
		}
		if err := b.DeadLetter(rec, ""); err == nil {
			t.Errorf("%s: made a dead letter", what)
		}
		b.Return([]event.Stored{rec})
	}
	if sum := b.balance(); sum.Delivered != 7 || sum.Held[ledger.Spool] != 7 {
		t.Errorf("books %+v", sum)
	}
	if spool.Available(b.Spool) != 1 {
		t.Errorf("%d records wait, want 1", spool.Available(b.Spool))
	}
}

func TestMetricsTellWhatIsHeld(t *testing.T) {
	b := mustOpen(t, newDisk(t, 1), dir)
	b.put(1, records(3, 100)...)
	b.put(2, records(3, 100)...)
	must(t, b.DeadLetter(b.take(1, 100)[0], "why"))
	for metric, want := range map[string]float64{
		"kinesyslog_spool_files": 2, "kinesyslog_spool_records": 5, "kinesyslog_spool_events": 11,
		"kinesyslog_spool_bytes":         float64(b.Stats().Bytes),
		"kinesyslog_spool_damaged_total": 0, "kinesyslog_spool_dead_letters_total": 1,
		"kinesyslog_spool_dead_letter_files": 1, "kinesyslog_spool_commit_seconds": 2,
	} {
		if got := b.metric(metric); got != want {
			t.Errorf("%s is %v, want %v", metric, got, want)
		}
	}
	if age := b.metric("kinesyslog_spool_oldest_age_seconds"); age <= 0 || age > 60 {
		t.Errorf("age %v", age)
	}
	if oldest := b.Stats().Oldest; time.Since(oldest) > time.Minute {
		t.Errorf("oldest %v", oldest)
	}
}

func TestManyAtATimeDeliverEveryRecordOnce(t *testing.T) {
	const writers, files, each, takers = 4, 10, 12, 4
	b := mustOpen(t, newDisk(t, 1), dir)
	var mu sync.Mutex
	seen := map[int]int{} // by the number of events, which is different for each record
	var left, uploads sync.WaitGroup
	left.Add(writers * files * each)
	for taker := range takers {
		uploads.Go(func() {
			for round := 0; ; round++ {
				recs, err := b.Take(context.Background(), 7, 2000)
				if err != nil {
					t.Error(err)
				}
				if recs == nil {
					return
				}
				if round%3 == 0 {
					b.Return(recs[:len(recs)/2])
					recs = recs[len(recs)/2:]
				}
				if (round+taker)%5 == 0 {
					if err := b.DeadLetter(recs[0], "poison"); err != nil {
						t.Error(err)
					}
				} else if err := b.Delivered(recs[:1]); err != nil {
					t.Error(err)
				}
				if err := b.Delivered(recs[1:]); err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, r := range recs {
					seen[r.Events]++
					left.Done()
				}
				mu.Unlock()
				b.Stats()
			}
		})
	}
	var commits sync.WaitGroup
	for w := range writers {
		commits.Go(func() {
			for i := range files {
				gen := i*writers + w
				var recs []event.Record
				for n := range each {
					recs = append(recs, record(n, 1+gen*each+n, 200))
				}
				if err := b.tryPut(name(gen), recs, func() error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	commits.Wait()
	left.Wait() // before Close: what was taken may come back
	b.Close()
	uploads.Wait()
	for n := 1; n <= writers*files*each; n++ {
		if seen[n] != 1 {
			t.Errorf("record %d came to its end %d times", n, seen[n])
		}
	}
	if sum := b.balance(); sum.Held[ledger.Spool] != 0 || sum.Delivered+sum.Held[ledger.DeadLetters] != sum.Received {
		t.Errorf("books %+v", sum)
	}
}
