package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

// image is a published file with records and what it looks like.
func image(t testing.TB, recs ...event.Record) []byte {
	t.Helper()
	f := newDisk(t, 1)
	mustOpen(t, f, dir).put(1, recs...)
	b, err := f.ReadFile(path(1))
	must(t, err)
	return b
}

func path(gen int) string { return dir + "/" + name(gen) + ".spool" }

// withFile is a disk on which a published file looks like this.
func withFile(t testing.TB, data []byte) *faultfs.FS {
	t.Helper()
	f := newDisk(t, 1)
	f.WriteFile(path(1), data)
	return f
}

// offsetOf finds a record's data in a file.
func offsetOf(t *testing.T, image []byte, r event.Record) int {
	t.Helper()
	i := bytes.Index(image, r.Data)
	if i < 0 {
		t.Fatal("no such record")
	}
	return i
}

func TestUnfinishedFilesAreRemovedAtStart(t *testing.T) {
	f := newDisk(t, 1)
	must(t, f.Mkdir(dir+"/dead", 0o700))
	f.WriteFile(dir+"/"+name(1)+".part", []byte("half"))
	f.WriteFile(dir+"/dead/"+name(1)+"-000001.dead.part", []byte("half"))
	f.WriteFile(dir+"/relay.id", []byte("not ours"))
	b := mustOpen(t, f, dir)
	got := append(filesIn(t, f, dir), filesIn(t, f, dir+"/dead")...)
	if diff := cmp.Diff([]string{"relay.id"}, got); diff != "" {
		t.Error(diff)
	}
	if b.budget.used.Load() != 0 {
		t.Errorf("budget %d", b.budget.used.Load())
	}
}

func TestWhatWasDeliveredIsNotOfferedAfterAKill(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, records(6, 100)...)
	got := b.take(6, 1000)
	must(t, b.Delivered([]event.Stored{got[4], got[0], got[1]}))
	after := mustOpen(t, f.Kill(), dir)
	rest := after.takeAll()
	if diff := cmp.Diff([]event.Stored{got[2], got[3], got[5]}, rest); diff != "" {
		t.Error(diff)
	}
	if sum := after.balance(); sum.Recovered != 3+4+6 {
		t.Errorf("books %+v", sum)
	}
	must(t, after.Delivered(rest))
	if left := filesIn(t, after.fs, dir); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

func TestDamagedDataIsBookedAndKeptAndTheRestIsSent(t *testing.T) {
	recs := records(4, 300)
	data := image(t, recs...)
	at := offsetOf(t, data, recs[2])
	data[at+100] ^= 1
	f := withFile(t, data)
	b := mustOpen(t, f, dir)
	got := b.takeAll()
	same(t, 1, []event.Record{recs[0], recs[1], recs[3]}, got)
	if sum := b.balance(); sum.Recovered != 10 || sum.Dropped[spool.ReasonDamaged] != 3 {
		t.Errorf("books %+v", sum)
	}
	header := at - len(recs[2].Listener) - 36
	if !b.logged(path(1)) || !b.logged(fmt.Sprintf("offset=%d", header)) {
		t.Errorf("log: %s", b.log)
	}
	if n := b.metric("kinesyslog_spool_damaged_total"); n != 1 {
		t.Errorf("%v damaged", n)
	}

	// It is counted once, also over a restart.
	after := mustOpen(t, f.Kill(), dir)
	got = after.takeAll()
	if sum := after.balance(); sum.Recovered != 7 || sum.Dropped[spool.ReasonDamaged] != 0 {
		t.Errorf("books after a restart %+v", sum)
	}
	must(t, after.Delivered(got))
	if diff := cmp.Diff([]string{name(1) + ".spool.bad"}, filesIn(t, after.fs, dir)); diff != "" {
		t.Error(diff)
	}
	bad, err := spool.OpenFile(after.fs, path(1)+".bad")
	must(t, err)
	for i, r := range bad.Records { // so that what was sent can be told from what was not
		if want := []spool.State{spool.Delivered, spool.Delivered, spool.Damaged, spool.Delivered}[i]; r.State != want {
			t.Errorf("record %d of the file that was set aside is %v, want %v", i, r.State, want)
		}
	}
	again := mustOpen(t, after.fs, dir)
	if st := again.Stats(); st != (spool.Stats{}) || again.budget.used.Load() != int64(len(data)) {
		t.Errorf("after that: %+v, budget %d", st, again.budget.used.Load())
	}
}

// TestAnyFlippedBitCostsAtMostOneRecord is exhaustive over a small file.
func TestAnyFlippedBitCostsAtMostOneRecord(t *testing.T) {
	recs := records(3, 40)
	data := image(t, recs...)
	for bit := range len(data) * 8 {
		f := withFile(t, data)
		must(t, f.FlipBit(path(1), int64(bit)))
		b := mustOpen(t, f, dir)
		got := b.takeAll()
		b.checkAgainst(recs, got, len(recs)-1)
		must(t, b.Delivered(got))
		if sum := b.balance(); sum.Held[ledger.Spool] != 0 {
			t.Fatalf("bit %d: books %+v", bit, sum)
		}
		files := filesIn(t, f, dir)
		isState := bit/8 >= 64 && strings.HasPrefix(string(data[bit/8-4:]), "KREC")
		if isState && len(files) != 0 || !isState && (len(files) != 1 || files[0] != name(1)+".spool.bad") {
			t.Fatalf("bit %d: left %q", bit, files)
		}
		if !isState && b.metric("kinesyslog_spool_damaged_total") == 0 {
			t.Fatalf("bit %d was not noticed", bit)
		}
	}
}

func TestWhatStandsBeforeTheEndOfAShortFileIsSent(t *testing.T) {
	recs := records(3, 40)
	data := image(t, recs...)
	for n := range len(data) {
		b := mustOpen(t, withFile(t, data[:n]), dir)
		whole := 0
		for _, r := range recs {
			if offsetOf(t, data, r)+len(r.Data) <= n {
				whole++
			}
		}
		b.checkAgainst(recs, b.takeAll(), whole)
		if sum := b.balance(); sum.Held[ledger.Spool] != sum.Recovered-sum.Dropped[spool.ReasonDamaged] || sum.Held[ledger.Spool] != uint64(whole*(whole+1)/2) {
			t.Fatalf("%d of %d bytes: books %+v", n, len(data), sum)
		}
		if b.metric("kinesyslog_spool_damaged_total") == 0 {
			t.Fatalf("%d of %d bytes: not noticed", n, len(data))
		}
	}
}

// checkAgainst checks that records came back whole, in order, and enough.
func (b *bench) checkAgainst(want []event.Record, got []event.Stored, atLeast int) {
	b.t.Helper()
	if len(got) < atLeast {
		b.t.Fatalf("%d records came back, want at least %d\n%s", len(got), atLeast, b.log)
	}
	last := -1
	for _, g := range got {
		if g.Index <= last || g.Index >= len(want) || !cmp.Equal(g.Record, want[g.Index]) {
			b.t.Fatalf("record %d came back changed or out of order", g.Index)
		}
		last = g.Index
	}
}

func TestGarbageIsSetAsideAndTheRestGoesOn(t *testing.T) {
	for what, data := range map[string][]byte{
		"empty": nil, "short": []byte("KSLG"), "zeros": make([]byte, 10_000),
		"markers": bytes.Repeat([]byte("KREC"), 10_000), "text": bytes.Repeat([]byte("syslog "), 1000),
	} {
		f := withFile(t, data)
		f.WriteFile(path(2), image(t, record(1, 1, 1))) // a file under another's name
		b := mustOpen(t, f, dir)
		if got := b.takeAll(); len(got) != 1 || got[0].File != name(2) {
			t.Errorf("%s: got %v", what, got)
		}
		if diff := cmp.Diff([]string{name(1) + ".spool.bad", name(2) + ".spool"}, filesIn(t, f, dir)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if b.Has(name(1)) || !b.Has(name(2)) {
			t.Errorf("%s: Has", what)
		}
	}
}

func TestAFileOfANewerVersionIsLeftAlone(t *testing.T) {
	data := image(t, records(2, 10)...)
	spool.SetVersion(data, 2)
	f := withFile(t, data)
	b := mustOpen(t, f, dir)
	if b.Has(name(1)) || b.Stats().Records != 0 || !b.logged("newer version") {
		t.Errorf("log: %s", b.log)
	}
	if got, _ := f.ReadFile(path(1)); !bytes.Equal(got, data) {
		t.Error("it was changed")
	}
}

func TestADamagedFileIsMadeAgainWhileItsJournalIsThere(t *testing.T) {
	recs := records(3, 500)
	data := image(t, recs...)
	data[offsetOf(t, data, recs[1])] ^= 1 // in the data, which Open does not read otherwise
	f := withFile(t, data)
	f.WriteFile(dir+"/"+name(1)+".journal", []byte("messages"))
	b := mustOpen(t, f, dir)
	if b.Has(name(1)) || b.Stats().Records != 0 {
		t.Error("the journal would be dropped")
	}
	b.put(1, recs...)
	same(t, 1, recs, b.takeAll())
	if b.budget.used.Load() != onDisk(t, f, dir) {
		t.Errorf("budget %d, on disk %d", b.budget.used.Load(), onDisk(t, f, dir))
	}
}

// A power cut may bring a journal file back whose records are delivered. If the
// spool file went first, all of it would be sent again.
func TestADeliveredFileStaysUntilItsJournalIsDropped(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, records(2, 10)...)
	f.Inject(faultfs.Fault{Op: faultfs.OpRemove, Times: 1})
	if err := b.Delivered(b.take(2, 1000)); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
	journal := dir + "/" + name(1) + ".journal"
	f.WriteFile(journal, []byte("messages"))
	if b := mustOpen(t, f, dir); !b.Has(name(1)) || len(b.takeAll()) != 0 {
		t.Error("the journal would be replayed")
	}
	must(t, f.Remove(journal))
	if b := mustOpen(t, f, dir); b.Has(name(1)) || b.budget.used.Load() != 0 || len(filesIn(t, f, dir)) != 0 {
		t.Errorf("left %q", filesIn(t, f, dir))
	}
}

func TestAFileThatCannotBeReadAtStartIsThereForTheNext(t *testing.T) {
	recs := records(2, 10)
	f := withFile(t, image(t, recs...))
	f.Inject(faultfs.Fault{Op: faultfs.OpRead, Suffix: ".spool"})
	b := mustOpen(t, f, dir)
	if got := b.takeAll(); got != nil || !b.logged("cannot be read") {
		t.Errorf("got %v, log: %s", got, b.log)
	}
	f.Mend()
	same(t, 1, recs, mustOpen(t, f, dir).takeAll())
}

func TestABadSectorCostsWhatIsInIt(t *testing.T) {
	recs := records(40, 3000)
	f := withFile(t, image(t, recs...))
	f.Inject(faultfs.Fault{Op: faultfs.OpRead, Suffix: ".spool", After: 20, Times: 1})
	b := mustOpen(t, f, dir)
	got := b.takeAll()
	b.checkAgainst(recs, got, 35)
	if len(got) == 40 {
		t.Error("the sector was not bad")
	}
	b.balance()
}

func TestTheDirectoryMustBeReadable(t *testing.T) {
	f := faultfs.New(1)
	if _, err := open(t, f, dir); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestRecordsThatTheDiskRefusesAreTriedAgainAndThenGivenUp(t *testing.T) {
	for _, tt := range []struct {
		op    faultfs.Op
		times int
		want  int
		after time.Duration
	}{
		{faultfs.OpRead, 1 + 3, 3, 10 * time.Second}, // the run, then each alone
		{faultfs.OpOpen, 5, 3, 50 * time.Second},
		{faultfs.OpOpen, 0, 0, 50 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newDisk(t, 1)
			b := mustOpen(t, f, dir)
			b.put(1, records(3, 100)...)
			f.Inject(faultfs.Fault{Op: tt.op, Suffix: ".spool", Times: tt.times})
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var got []event.Stored
			for len(got) < tt.want {
				recs, err := b.Take(ctx, 10, 1000)
				must(t, err)
				got = append(got, recs...)
			}
			if tt.want == 0 {
				if recs, err := b.Take(ctx, 10, 1000); err == nil {
					t.Errorf("got %v", recs)
				}
				if sum := b.balance(); sum.Dropped[spool.ReasonDamaged] != 6 {
					t.Errorf("books %+v", sum)
				}
				if diff := cmp.Diff([]string{name(1) + ".spool.bad"}, filesIn(t, f, dir)); diff != "" {
					t.Error(diff)
				}
				return
			}
			if took := time.Since(start); took != tt.after {
				t.Errorf("took %v, want %v", took, tt.after)
			}
			same(t, 1, records(3, 100), got)
			b.balance()
		})
	}
}

func TestAFileThatSomebodyRemovedIsBooked(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, records(3, 100)...)
	b.put(2, records(1, 100)...)
	must(t, f.Remove(path(1)))
	same(t, 2, records(1, 100), b.takeAll())
	if sum := b.balance(); sum.Dropped[spool.ReasonDamaged] != 6 {
		t.Errorf("books %+v", sum)
	}
}

func TestARecordWhoseMarkFailsIsNotOfferedAgainByThisProcess(t *testing.T) {
	f := newDisk(t, 1)
	b := mustOpen(t, f, dir)
	b.put(1, records(2, 100)...)
	first := b.take(1, 100)
	f.Inject(faultfs.Fault{Op: faultfs.OpWrite, Times: 1})
	if err := b.Delivered(first); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	if got := b.takeAll(); len(got) != 1 || got[0].Index != 1 {
		t.Errorf("got %v", got)
	}
	if sum := b.balance(); sum.Delivered != 1 {
		t.Errorf("books %+v", sum)
	}
	same(t, 1, records(2, 100), mustOpen(t, f.Kill(), dir).takeAll())
}
