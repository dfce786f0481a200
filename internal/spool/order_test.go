package spool_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

func TestAQuarterOfABacklogsTurnsIsForWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mustOpen(t, newDisk(t, 1), dir)
		for gen := range 3 {
			b.put(gen, records(4, 100)...)
		}
		time.Sleep(6 * time.Minute) // an outage
		b.put(3, records(2, 100)...)
		b.put(4, records(2, 100)...)
		var order []string
		for range 12 {
			order = append(order, b.take(1, 1000)[0].File)
		}
		want := []string{
			name(0), name(0), name(0), name(4), name(0), name(1), name(1), name(4), name(1), name(1), name(2), name(3),
		}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Error(diff)
		}
	})
}

func TestANewestTurnFillsTheCallWithWhatIsNextNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mustOpen(t, newDisk(t, 1), dir)
		b.put(0, records(9, 100)...)
		time.Sleep(6 * time.Minute)
		b.put(1, records(1, 100)...)
		b.put(2, records(1, 100)...)
		for range 3 {
			b.take(1, 1000)
		}
		var order []string
		for _, r := range b.take(4, 1000) {
			order = append(order, r.File)
		}
		if diff := cmp.Diff([]string{name(2), name(1), name(0), name(0)}, order); diff != "" {
			t.Error(diff)
		}
		if left := b.take(500, 1<<20); len(left) != 4 {
			t.Errorf("%d records were left, want 4", len(left))
		}
	})
}

func TestWithoutABacklogTheOldestAlwaysGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mustOpen(t, newDisk(t, 1), dir)
		b.put(0, records(20, 100)...)
		time.Sleep(4 * time.Minute)
		b.put(1, records(2, 100)...)
		for range 20 {
			if got := b.take(1, 1000)[0]; got.File != name(0) {
				t.Fatalf("%s went before %s", got.File, name(0))
			}
		}
	})
}

func TestDropOldestBooksWhatItGivesUpAndLeavesAloneWhatIsOnItsWay(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(0, record(1, 5, 100), record(2, 7, 100))
	b.put(1, record(3, 11, 100), record(4, 13, 100))
	b.put(2, record(5, 17, 100))
	sent := b.take(1, 1000) // of the oldest file
	if !b.DropOldest() {
		t.Fatal("there is something to drop")
	}
	sum := b.balance()
	if sum.Dropped[spool.ReasonDropOldest] != 24 || sum.Held[ledger.Spool] != 5+7+17 {
		t.Errorf("books %+v", sum)
	}
	if diff := cmp.Diff([]string{name(0) + ".spool", name(2) + ".spool"}, filesIn(t, f, dir)); diff != "" {
		t.Error(diff)
	}
	must(t, b.Delivered(sent))
	// A file of which a part is delivered goes with the rest of it.
	for i, want := range []bool{true, true, false} {
		if b.DropOldest() != want {
			t.Errorf("two files were left to drop, but call %d says %v", i, !want)
		}
	}
	sum = b.balance()
	if sum.Delivered != 5 || sum.Dropped[spool.ReasonDropOldest] != 24+7+17 || sum.HeldTotal() != 0 {
		t.Errorf("books %+v", sum)
	}
	if left := filesIn(t, f, dir); len(left) != 0 || b.budget.used.Load() != 0 {
		t.Errorf("left: %q, %d bytes", left, b.budget.used.Load())
	}
	if diff := cmp.Diff(spool.Stats{}, b.Stats()); diff != "" {
		t.Error(diff)
	}
	if got := spool.Available(b.Spool); got != 0 {
		t.Errorf("%d records are offered", got)
	}
}

func TestWhatWasDroppedDoesNotComeBack(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(0, records(3, 100)...)
	b.put(1, records(3, 100)...)
	b.DropOldest()
	after := mustOpen(t, f.Kill(), dir)
	var got []event.Stored
	for _, r := range after.take(500, 1<<20) {
		if r.File != name(1) {
			t.Errorf("%s came back", r.File)
		}
		got = append(got, r)
	}
	if len(got) != 3 {
		t.Errorf("%d records are there, want 3", len(got))
	}
}
