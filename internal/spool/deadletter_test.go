package spool_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

func TestADeadLetterIsDurableWithItsReason(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	recs := records(3, 100)
	b.put(1, recs...)
	got := b.take(3, 1000)
	must(t, b.DeadLetter(got[1], "InvalidArgumentException: too much"))
	must(t, b.Delivered([]event.Stored{got[0], got[2]}))
	if sum := b.balance(); sum.Held[ledger.DeadLetters] != 2 || sum.Delivered != 4 {
		t.Errorf("books %+v", sum)
	}
	if b.budget.used.Load() != onDisk(t, f, dir) {
		t.Errorf("budget %d, on disk %d", b.budget.used.Load(), onDisk(t, f, dir))
	}

	disk := f.Crash()
	after := mustOpen(t, disk, dir)
	for _, rec := range after.takeAll() { // the power cut may have taken marks, not letters
		if rec.Index == 1 {
			t.Error("the dead letter is offered again")
		}
	}
	if sum := after.balance(); sum.Held[ledger.DeadLetters] != 2 {
		t.Errorf("books after the power cut %+v", sum)
	}
	if st := after.Stats(); st.DeadLetters != 1 || st.DeadBytes == 0 {
		t.Errorf("stats %+v", st)
	}
	r, err := spool.OpenFile(disk, dir+"/dead/"+name(1)+"-000001.dead")
	must(t, err)
	rec, err := r.Record(0)
	must(t, err)
	if diff := cmp.Diff(recs[1], rec); diff != "" {
		t.Error(diff)
	}
	if r.Reason != "InvalidArgumentException: too much" || r.Records[0].Index != 1 || r.Records[0].State != spool.Dead {
		t.Errorf("reason %q, %+v", r.Reason, r.Records[0])
	}
}

func TestAFailedDeadLetterChangesNothing(t *testing.T) {
	for _, tt := range []struct {
		what string
		op   faultfs.Op
	}{
		{"mkdir", faultfs.OpMkdir},
		{"open", faultfs.OpOpen},
		{"write", faultfs.OpWrite},
		{"fsync", faultfs.OpSync},
		{"rename", faultfs.OpRename},
		{"fsync of the directory", faultfs.OpSyncDir},
	} {
		t.Run(tt.what, func(t *testing.T) {
			f := newDisk(t, 1)
			b := mustOpen(t, f, dir)
			b.put(1, record(0, 4, 50))
			got := b.take(1, 100)
			before := b.budget.used.Load()
			f.Inject(faultfs.Fault{Op: tt.op, Times: 1})
			if err := b.DeadLetter(got[0], "why"); !errors.Is(err, syscall.EIO) {
				t.Errorf("got %v", err)
			}
			if sum := b.balance(); sum.Held[ledger.Spool] != 4 || sum.Held[ledger.DeadLetters] != 0 || b.budget.used.Load() != before {
				t.Errorf("books %+v, budget %d, was %d", sum, b.budget.used.Load(), before)
			}
			must(t, b.DeadLetter(got[0], "why"))
			if sum := b.balance(); sum.Held[ledger.Spool] != 0 || sum.Held[ledger.DeadLetters] != 4 {
				t.Errorf("books %+v", sum)
			}
			if left := filesIn(t, f, dir); len(left) != 0 {
				t.Errorf("left %q", left)
			}
			if st := mustOpen(t, f.Crash(), dir).Stats(); st.DeadLetters != 1 {
				t.Errorf("after a power cut: %+v", st)
			}
		})
	}
}

func TestADamagedDeadLetterIsSetAside(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, record(0, 4, 50))
	must(t, b.DeadLetter(b.take(1, 100)[0], strings.Repeat("long ", 10_000)))
	must(t, f.FlipBit(dir+"/dead/"+name(1)+"-000000.dead", 70*8))
	after := mustOpen(t, f.Kill(), dir)
	if diff := cmp.Diff([]string{name(1) + "-000000.dead.bad"}, filesIn(t, after.fs, dir+"/dead")); diff != "" {
		t.Error(diff)
	}
	if sum := after.balance(); sum.Recovered != 0 || after.metric("kinesyslog_spool_damaged_total") != 1 {
		t.Errorf("books %+v", sum)
	}
	if after.budget.used.Load() != onDisk(t, after.fs, dir) {
		t.Errorf("budget %d", after.budget.used.Load())
	}
}

func TestListTellsWhatEachFileIs(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, records(3, 100)...)
	got := b.take(2, 1000)
	must(t, b.DeadLetter(got[0], "why"))
	must(t, b.Delivered(got[1:]))
	for _, n := range []string{name(2) + ".part", name(3) + ".spool.bad", "dead/" + name(4) + "-000002.dead.bad", name(5) + ".journal", "lock"} {
		f.WriteFile(dir+"/"+n, []byte("x"))
	}
	entries, err := spool.List(f, dir)
	must(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Kind.String()+" "+e.Name)
	}
	want := []string{
		"published " + name(1), "unfinished " + name(2), "set aside " + name(3),
		"dead letter " + name(1) + "-000000", "set aside " + name(4) + "-000002",
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	r, err := spool.OpenFile(f, entries[0].Path)
	must(t, err)
	var states []string
	for _, rec := range r.Records {
		states = append(states, rec.State.String())
	}
	if diff := cmp.Diff([]string{"dead", "delivered", "waiting"}, states); diff != "" || !r.Complete || r.Name != name(1) || r.Damage != nil {
		t.Errorf("%s %+v", diff, r.Info)
	}
	must(t, f.FlipBit(entries[0].Path, (r.Records[1].Offset+100)*8))
	var damage spool.Damage
	if _, err := r.Record(1); !errors.As(err, &damage) || damage.Offset != r.Records[1].Offset {
		t.Errorf("got %v", err)
	}
	if _, err := r.Record(2); err != nil {
		t.Error(err)
	}
}

func TestNoSingleBitMakesOneStateAnother(t *testing.T) {
	states := []spool.State{spool.Waiting, spool.Delivered, spool.Dead, spool.Damaged}
	for _, a := range states {
		for bit := range 8 {
			flipped := a ^ 1<<bit
			for _, b := range states {
				if flipped == b {
					t.Errorf("%v becomes %v by bit %d", a, b, bit)
				}
			}
			if flipped.String() != "waiting" {
				t.Errorf("%#x is %v", byte(flipped), flipped)
			}
		}
	}
}
