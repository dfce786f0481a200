package ledger

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryMovementKeepsTheBalance(t *testing.T) {
	l := New()
	l.Open("quiet")
	for _, step := range []struct {
		name string
		move func()
		want Balance
	}{
		{"receive", func() { l.Receive("a", 10, 100) }, Balance{Received: 10, ReceivedBytes: 100, Held: [places]uint64{10, 0, 0}}},
		{"drop", func() { l.Drop("a", "kernel", 3, 30) }, Balance{Received: 13, ReceivedBytes: 130, Held: [places]uint64{10, 0, 0}}},
		{"recover", func() { l.Recover("a", Spool, 5) }, Balance{Received: 13, ReceivedBytes: 130, Recovered: 5, Held: [places]uint64{10, 5, 0}}},
		{"move", func() { l.Move("a", Journal, Spool, 9) }, Balance{Received: 13, ReceivedBytes: 130, Recovered: 5, Held: [places]uint64{1, 14, 0}}},
		{"lose", func() { l.Lose("a", Journal, "damaged", 1) }, Balance{Received: 13, ReceivedBytes: 130, Recovered: 5, Held: [places]uint64{0, 14, 0}}},
		{"dead letter", func() { l.Move("a", Spool, DeadLetters, 4) }, Balance{Received: 13, ReceivedBytes: 130, Recovered: 5, Held: [places]uint64{0, 10, 4}}},
		{"deliver", func() { l.Deliver("a", Spool, 10) }, Balance{Received: 13, ReceivedBytes: 130, Recovered: 5, Delivered: 10, Held: [places]uint64{0, 0, 4}}},
	} {
		step.move()
		got := l.Snapshot()
		if len(got) != 2 || got[0].Listener != "a" || got[1].Listener != "quiet" {
			t.Fatalf("%s: accounts %+v", step.name, got)
		}
		if d := got[0].Difference(); d != 0 {
			t.Errorf("%s: the books are out by %d", step.name, d)
		}
		b := got[0]
		b.Listener, b.Dropped = "", nil
		if diff := cmp.Diff(step.want, b); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	b := l.Snapshot()[0]
	if b.Dropped["kernel"] != 3 || b.Dropped["damaged"] != 1 || b.DroppedTotal() != 4 || b.HeldTotal() != 4 {
		t.Errorf("the end is %+v", b)
	}
}

func TestNoSnapshotSeesAMessageNowhereOrTwice(t *testing.T) {
	l := New()
	done := make(chan struct{})
	var movers sync.WaitGroup
	for range 4 {
		movers.Go(func() {
			for range 2000 {
				l.Receive("a", 7, 70)
				l.Move("a", Journal, Spool, 7)
				l.Deliver("a", Spool, 6)
				l.Lose("a", Spool, "damaged", 1)
			}
		})
	}
	go func() { movers.Wait(); close(done) }()
	for {
		for _, b := range l.Snapshot() {
			if b.Difference() != 0 {
				t.Fatalf("the books are out: %+v", b)
			}
		}
		select {
		case <-done:
			if b := l.Snapshot()[0]; b.Received != 56_000 || b.Delivered != 48_000 || b.DroppedTotal() != 8_000 {
				t.Errorf("the end is %+v", b)
			}
			return
		default:
		}
	}
}

func TestSnapshotIsACopy(t *testing.T) {
	l := New()
	l.Drop("a", "kernel", 1, 1)
	before := l.Snapshot()[0]
	l.Drop("a", "kernel", 1, 1)
	if before.Dropped["kernel"] != 1 {
		t.Error("a snapshot changed after it was taken")
	}
}
