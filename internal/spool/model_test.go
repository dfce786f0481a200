package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

// fate is what the model knows of a record.
type fate int

const (
	held      fate = iota // must be in the journal or offered
	inDoubt               // Delivered failed or was cut off: either
	delivered             // must not be offered again after a kill
	deadDoubt             // DeadLetter was cut off: dead or held
	dead                  // must be a dead letter
)

type modelRecord struct {
	event.Record
	fate  fate
	taken bool
}

type modelFile struct {
	name      string
	committed bool // in the books of this process it is in the spool
	records   []*modelRecord
}

// world is a spool, the journal that feeds it, and what must be true of them.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	disk  *faultfs.FS
	spool *bench
	files []*modelFile
	taken []event.Stored
	gen   int
	log   []string
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 2)), disk: newDisk(t, seed)}
	w.spool = mustOpen(t, w.disk, dir)
	return w
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.log {
		w.t.Log(line)
	}
	w.t.Log(w.spool.log.String())
	w.t.Fatalf(format, args...)
}

func (f *modelFile) journal() string { return dir + "/" + f.name + ".journal" }

func (w *world) find(rec event.Stored) *modelRecord {
	w.t.Helper()
	for _, f := range w.files {
		if f.name == rec.File && rec.Index < len(f.records) {
			return f.records[rec.Index]
		}
	}
	w.failf("record %d of %s was never put", rec.Index, rec.File)
	return nil
}

// receive makes a generation whose messages are durable in the journal.
func (w *world) receive(n int) *modelFile {
	f := &modelFile{name: name(w.gen)}
	w.gen++
	for range n {
		r := record(w.rng.IntN(1<<30), 1+w.rng.IntN(50), 1+w.rng.IntN(3000))
		f.records = append(f.records, &modelRecord{Record: r})
		w.spool.ledger.Receive(r.Listener, uint64(r.Events), uint64(r.RawBytes))
	}
	w.disk.WriteFile(f.journal(), []byte("messages"))
	w.files = append(w.files, f)
	return f
}

// commit hands a generation over, as the relay does.
func (w *world) commit(f *modelFile) {
	var recs []event.Record
	for _, r := range f.records {
		recs = append(recs, r.Record)
	}
	wr, err := w.spool.Create(f.name)
	if err == nil {
		for _, r := range recs {
			if err = wr.Append(r); err != nil {
				break
			}
		}
		if err == nil && w.rng.IntN(10) == 0 {
			err = errors.New("abandoned")
		}
		if err != nil {
			err = errors.Join(err, wr.Abort())
		} else {
			done := func() error {
				if err := w.disk.Remove(f.journal()); err != nil {
					return err
				}
				for _, r := range recs {
					w.spool.ledger.Move(r.Listener, ledger.Journal, ledger.Spool, uint64(r.Events))
				}
				return nil
			}
			if err = wr.Commit(done); err != nil && w.rng.IntN(2) == 0 {
				err = wr.Commit(done)
			}
		}
	}
	f.committed = err == nil
	w.note("commit %s (%d): %v", f.name, len(f.records), err)
}

func (w *world) take(maxRecords, maxBytes int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	recs, err := w.spool.Take(ctx, maxRecords, maxBytes)
	w.note("take %d: %d, %v", maxRecords, len(recs), err)
	w.took(recs)
}

// took checks what Take gave.
func (w *world) took(recs []event.Stored) {
	w.t.Helper()
	for i, rec := range recs {
		r := w.find(rec)
		if r.taken || r.fate == delivered || r.fate == dead {
			w.failf("record %d of %s was offered: taken %v, fate %v", rec.Index, rec.File, r.taken, r.fate)
		}
		if !bytes.Equal(rec.Data, r.Data) || rec.Events != r.Events || rec.Listener != r.Listener || rec.RawBytes != r.RawBytes {
			w.failf("record %d of %s came back changed", rec.Index, rec.File)
		}
		if i > 0 && (rec.File < recs[i-1].File || rec.File == recs[i-1].File && rec.Index <= recs[i-1].Index) {
			w.failf("record %d of %s came too late", rec.Index, rec.File)
		}
		r.taken = true
	}
	w.taken = append(w.taken, recs...)
}

// some removes a random part of what is taken and returns it.
func (w *world) some() []event.Stored {
	w.rng.Shuffle(len(w.taken), func(i, j int) { w.taken[i], w.taken[j] = w.taken[j], w.taken[i] })
	n := w.rng.IntN(len(w.taken) + 1)
	part := w.taken[:n:n]
	w.taken = w.taken[n:]
	return part
}

func (w *world) deliver(recs []event.Stored) {
	err := w.spool.Delivered(recs)
	for _, rec := range recs {
		r := w.find(rec)
		r.taken, r.fate = false, delivered
		if err != nil {
			r.fate = inDoubt
		}
	}
	w.note("delivered %d: %v", len(recs), err)
}

func (w *world) giveBack(recs []event.Stored) {
	w.spool.Return(recs)
	for _, rec := range recs {
		w.find(rec).taken = false
	}
	w.note("returned %d", len(recs))
}

func (w *world) deadLetter(rec event.Stored) {
	err := w.spool.DeadLetter(rec, "refused")
	r := w.find(rec)
	switch {
	case err == nil:
		r.taken, r.fate = false, dead
	default:
		// On a disk that fails, the letter may be in place although that is
		// not known: the next Open then finds it.
		r.fate = deadDoubt
		w.taken = append(w.taken, rec)
	}
	w.note("dead letter %d of %s: %v", rec.Index, rec.File, err)
}

// books checks promise 1 and where the messages are held.
func (w *world) books() {
	w.t.Helper()
	want := map[string][3]uint64{}
	for _, f := range w.files {
		for _, r := range f.records {
			places := want[r.Listener]
			switch {
			case !f.committed:
				places[ledger.Journal] += uint64(r.Events)
			case r.fate == held, r.fate == deadDoubt:
				places[ledger.Spool] += uint64(r.Events)
			case r.fate == dead:
				places[ledger.DeadLetters] += uint64(r.Events)
			}
			want[r.Listener] = places
		}
	}
	for _, l := range w.spool.ledger.Snapshot() {
		if l.Difference() != 0 || l.DroppedTotal() != 0 || l.Held != want[l.Listener] {
			w.failf("books of %s: %+v, held should be %v", l.Listener, l, want[l.Listener])
		}
	}
}

// restart ends the process, lets the next ones die while they recover, and
// checks what the last one finds.
func (w *world) restart(crash bool, deaths int) {
	w.t.Helper()
	w.end(crash)
	for range deaths {
		w.disk.DieAfter(w.rng.IntN(12))
		_, err := open(w.t, w.disk, dir)
		crash := w.rng.IntN(2) == 0
		w.note("died while it recovered: %v", err)
		w.end(crash)
	}
	w.recovered()
}

func (w *world) end(crash bool) {
	if !crash {
		w.disk = w.disk.Kill()
		w.note("killed")
		return
	}
	w.disk = w.disk.Crash()
	w.note("crashed")
	for _, f := range w.files {
		for _, r := range f.records {
			if r.fate == delivered {
				r.fate = inDoubt // its flag may be lost
			}
		}
	}
}

// recovered opens the spool, does what the relay does with the journal, and
// compares all that is offered with the model.
func (w *world) recovered() {
	w.t.Helper()
	w.disk.SetCapacity(0)
	w.spool = mustOpen(w.t, w.disk, dir)
	w.note("reopened: %q", filesIn(w.t, w.disk, dir))
	w.taken = nil
	letters := w.letters()
	for _, f := range w.files {
		for _, r := range f.records {
			r.taken = false
		}
	}
	inJournal := map[string]bool{}
	for _, f := range w.files {
		_, err := w.disk.Stat(f.journal())
		switch {
		case err != nil:
		case w.spool.Has(f.name):
			must(w.t, w.disk.Remove(f.journal()))
		default:
			inJournal[f.name] = true
			for _, r := range f.records {
				w.spool.ledger.Recover(r.Listener, ledger.Journal, uint64(r.Events))
			}
		}
		f.committed = !inJournal[f.name]
	}
	for w.spool.Stats().Records > len(w.taken) {
		n := len(w.taken)
		w.take(1+w.rng.IntN(10), 1+w.rng.IntN(10000))
		if len(w.taken) == n {
			w.failf("%d records are held, but only %d offered", w.spool.Stats().Records, n)
		}
	}
	for _, f := range w.files {
		for i, r := range f.records {
			letter := letters[fmt.Sprintf("%s-%06d", f.name, i)]
			places := 0
			for _, there := range []bool{inJournal[f.name], r.taken, letter} {
				if there {
					places++
				}
			}
			switch {
			case places > 1:
				w.failf("record %d of %s is held twice: journal %v, spool %v, dead %v", i, f.name, inJournal[f.name], r.taken, letter)
			case places == 0 && r.fate != delivered && r.fate != inDoubt:
				w.failf("record %d of %s is lost; its fate was %v", i, f.name, r.fate)
			case letter && r.fate != dead && r.fate != deadDoubt && r.fate != inDoubt:
				w.failf("record %d of %s is a dead letter; its fate was %v", i, f.name, r.fate)
			case letter:
				r.fate = dead
			case places == 1:
				r.fate = held
			default:
				r.fate = delivered
			}
		}
	}
	if got, want := w.spool.budget.used.Load(), onDisk(w.t, w.disk, dir); got != want {
		w.failf("the budget says %d bytes, on disk are %d", got, want)
	}
	if n := w.spool.metric("kinesyslog_spool_damaged_total"); n != 0 {
		w.failf("%v damaged", n)
	}
	w.books()
	w.giveBack(w.taken)
	w.taken = nil
}

// letters reads the dead letters and checks them.
func (w *world) letters() map[string]bool {
	w.t.Helper()
	out := map[string]bool{}
	entries, err := spool.List(w.disk, dir)
	must(w.t, err)
	for _, e := range entries {
		if e.Kind != spool.DeadLetter {
			continue
		}
		r, err := spool.OpenFile(w.disk, e.Path)
		must(w.t, err)
		got, err := r.Record(0)
		must(w.t, err)
		want := w.find(event.Stored{File: r.Name, Index: r.Records[0].Index})
		if !bytes.Equal(got.Data, want.Data) || r.Reason != "refused" {
			w.failf("dead letter %s is changed", e.Name)
		}
		must(w.t, r.Close())
		out[e.Name] = true
	}
	return out
}

// step does something at random.
func (w *world) step() {
	switch n := w.rng.IntN(100); {
	case n < 20:
		w.commit(w.receive(1 + w.rng.IntN(5)))
	case n < 27:
		for _, f := range w.files {
			if !f.committed {
				w.commit(f)
				break
			}
		}
	case n < 47:
		w.take(1+w.rng.IntN(6), 1+w.rng.IntN(8000))
	case n < 62:
		w.deliver(w.some())
	case n < 68:
		w.giveBack(w.some())
	case n < 76:
		if len(w.taken) > 0 {
			rec := w.taken[0]
			w.taken = w.taken[1:]
			w.deadLetter(rec)
		}
	case n < 84:
		fault := faultfs.Fault{
			Op: faultfs.Op(1 + w.rng.IntN(int(faultfs.OpSyncDir))), After: w.rng.IntN(4), Times: 1 + w.rng.IntN(3),
		}
		w.disk.Inject(fault)
		w.note("fault %+v", fault)
	case n < 88:
		w.disk.Mend()
		w.disk.SetCapacity(0)
		w.note("mended")
	case n < 91:
		room := onDisk(w.t, w.disk.Kill(), dir) + w.rng.Int64N(20_000)
		w.note("room for %d bytes", room)
		w.restart(false, 0)
		w.disk.SetCapacity(room)
	case n < 95:
		w.disk.DieAfter(w.rng.IntN(15))
		w.note("to die soon")
	default:
		w.restart(w.rng.IntN(2) == 0, w.rng.IntN(3))
	}
	if w.disk.Dead() {
		w.restart(w.rng.IntN(2) == 0, w.rng.IntN(3))
	} else {
		w.books()
	}
}

func TestNothingIsLostOrInventedWhateverFailsAndWhenever(t *testing.T) {
	runs := uint64(150)
	if testing.Short() {
		runs = 50
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed)
				for range 80 {
					w.step()
				}
				w.restart(true, 0)
			})
		})
	}
}

// TestEveryMomentIsSurvived lets the process die in every single operation of
// a short life, and again in every operation of the recovery.
func TestEveryMomentIsSurvived(t *testing.T) {
	life := func(w *world) {
		for range 2 {
			w.commit(w.receive(3))
			w.take(4, 1<<20)
			if len(w.taken) > 2 {
				w.deliver(w.taken[:1])
				w.taken = w.taken[1:]
				rec := w.taken[0]
				w.taken = w.taken[1:]
				w.deadLetter(rec)
			}
		}
		w.take(10, 1<<20)
		w.deliver(w.taken)
		w.taken = nil
	}
	synctest.Test(t, func(t *testing.T) {
		whole := newWorld(t, 1)
		before := whole.disk.Ops()
		life(whole)
		total := whole.disk.Ops() - before
		for n := range total + 1 {
			for _, crash := range []bool{false, true} {
				for m := 0; ; m++ {
					w := newWorld(t, 1)
					w.disk.DieAfter(n)
					life(w)
					w.end(crash)
					w.disk.DieAfter(m)
					_, _ = open(t, w.disk, dir)
					died := w.disk.Dead()
					w.end(crash)
					w.recovered()
					if !died {
						break // the recovery has fewer operations
					}
				}
			}
		}
	})
}
