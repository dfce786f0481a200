package journal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kinesyslog/internal/faultfs"
)

// model is what a journal must do, told by what its callers were told.
type model struct {
	committed map[string]bool // Commit returned nil
	synced    map[string]bool // Sync returned nil after that
	doubtful  map[string]bool // Commit failed: may be there, need not
	numbers   map[string]string
}

// run writes for a while, with whatever faults the file system has.
func (m *model) run(t *testing.T, j *bench, rng *rand.Rand, from int) (next int) {
	a := j.NewAppender()
	for range 30 {
		var batch []string
		for range 1 + rng.IntN(5) {
			text := fmt.Sprintf("message %d", from)
			from++
			a.Add(source(fmt.Sprintf("192.0.2.%d", rng.IntN(3))), 1, []byte(text))
			batch = append(batch, text)
		}
		ok := a.Commit(t.Context(), false) == nil
		for _, b := range j.ledger.Snapshot() {
			if b.Difference() != 0 {
				t.Fatalf("the ledger is out of balance: %+v", b)
			}
		}
		for _, text := range batch {
			if ok {
				m.committed[text] = true
			} else {
				m.doubtful[text] = true
			}
		}
		if rng.IntN(4) == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if j.NewDurableAppender().Sync(ctx) == nil {
				for text := range m.committed {
					m.synced[text] = true
				}
			}
			cancel()
		}
		if rng.IntN(8) == 0 {
			j.Seal()
		}
	}
	return from
}

// check reads everything and returns it to the queue.
func (m *model) check(t *testing.T, j *bench, must map[string]bool) {
	t.Helper()
	j.Seal()
	seen := map[string]bool{}
	var all []*Generation
	for j.queue.len() > 0 {
		g := j.Next(t.Context())
		all = append(all, g)
		got, _ := entries(t, g)
		for _, e := range got {
			id := fmt.Sprintf("%s/%d", e.Generation, e.Seq)
			if seen[e.Text] {
				t.Fatalf("%q is in the journal twice", e.Text)
			}
			seen[e.Text] = true
			if !m.committed[e.Text] && !m.doubtful[e.Text] {
				t.Fatalf("%q was never added", e.Text)
			}
			if old := m.numbers[e.Text]; old != "" && old != id {
				t.Fatalf("%q had the id %s and now has %s", e.Text, old, id)
			}
			m.numbers[e.Text] = id
		}
	}
	for text := range must {
		if !seen[text] {
			t.Fatalf("%q is lost", text)
		}
	}
	for _, g := range all {
		g.Return()
	}
	// What a power cut took is gone for good; it must not be asked for again.
	for text := range m.committed {
		if !seen[text] {
			delete(m.committed, text)
		}
	}
}

func TestEverythingCommittedSurvivesKillsAndEverythingSyncedSurvivesPowerCuts(t *testing.T) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 1))
		disk := faultfs.New(seed)
		m := &model{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
		next := 0
		for range 4 {
			j := open(t, "/", func(o *Options) { o.FS, o.GenerationBytes, o.SyncInterval = disk, 2000, time.Hour })
			next = m.run(t, j, rng, next)
			if rng.IntN(2) == 0 {
				disk = disk.Kill()
				j2 := open(t, "/", func(o *Options) { o.FS, o.SyncInterval = disk, time.Hour })
				m.check(t, j2, m.committed)
				disk = disk.Kill()
				_ = j2
			} else {
				disk = disk.Crash()
				j2 := open(t, "/", func(o *Options) { o.FS, o.SyncInterval = disk, time.Hour })
				m.check(t, j2, m.synced)
				disk = disk.Kill()
				_ = j2
			}
		}
	}
}

func TestDiskErrorsLoseNothingThatWasCommitted(t *testing.T) {
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 2))
		disk := faultfs.New(seed)
		m := &model{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
		j := open(t, "/", func(o *Options) { o.FS, o.GenerationBytes, o.SyncInterval = disk, 2000, time.Hour })
		disk.Inject(faultfs.Fault{Op: faultfs.OpWrite, Probability: 0.1})
		disk.Inject(faultfs.Fault{Op: faultfs.OpOpen, Probability: 0.1})
		disk.Inject(faultfs.Fault{Op: faultfs.OpSync, Probability: 0.2})
		m.run(t, j, rng, 0)
		dropped := j.ledger.Snapshot()[0].Dropped[ReasonFull]
		disk.Mend()
		for text := range m.committed {
			m.doubtful[text] = true
		}
		j.Seal()
		seen := 0
		for j.queue.len() > 0 {
			got, _ := entries(t, j.Next(t.Context()))
			seen += len(got)
		}
		if want := len(m.committed) - int(dropped); seen != want {
			t.Fatalf("seed %d: %d messages are in the journal, want %d (%d were dropped and counted)", seed, seen, want, dropped)
		}
		if j.room.refused.Load() == 0 && dropped > 0 {
			t.Fatal("messages were dropped but nobody was told of the disk")
		}
	}
}

func TestEveryOperationCanBeTheLast(t *testing.T) {
	for n := range 60 {
		disk := faultfs.New(uint64(n))
		rng := rand.New(rand.NewPCG(uint64(n), 3))
		m := &model{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}}
		j := open(t, "/", func(o *Options) { o.FS, o.GenerationBytes, o.SyncInterval = disk, 1000, time.Hour })
		put(t, j.Journal, source("192.0.2.9"), "safe")
		m.committed["safe"] = true
		a := j.NewAppender()
		disk.DieAfter(n)
		for i := 0; !disk.Dead() && i < 200; i++ {
			text := fmt.Sprintf("message %d", i)
			a.Add(source(fmt.Sprintf("192.0.2.%d", rng.IntN(3))), 1, []byte(text))
			before := j.ledger.Snapshot()[0].Received - j.ledger.Snapshot()[0].DroppedTotal()
			_ = a.Commit(t.Context(), false)
			if after := j.ledger.Snapshot()[0].Received - j.ledger.Snapshot()[0].DroppedTotal(); after > before {
				m.committed[text] = true
			} else {
				m.doubtful[text] = true
			}
			if i%10 == 9 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_ = j.NewDurableAppender().Sync(ctx)
				cancel()
			}
		}
		disk = disk.Kill()
		after := open(t, "/", func(o *Options) { o.FS = disk })
		m.check(t, after, m.committed)
	}
}

func TestWhatSyncPromisesSurvivesThePowerCutOfAFailingDisk(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 4))
		disk := faultfs.New(seed)
		j := open(t, "/", func(o *Options) { o.FS, o.GenerationBytes, o.SyncInterval, o.Shards = disk, 2000, time.Hour, 1 })
		disk.Inject(faultfs.Fault{Op: faultfs.OpSync, Suffix: Suffix, Probability: 0.2})
		disk.Inject(faultfs.Fault{Op: faultfs.OpSyncDir, Probability: 0.2})
		// Each sender begins anew when it is told of an error, as a RELP client does.
		var senders [3]*DurableAppender
		var pending [3][]string // committed, and not yet promised
		promised := map[string]bool{}
		for n := range 200 {
			i := rng.IntN(len(senders))
			if senders[i] == nil {
				senders[i], pending[i] = j.NewDurableAppender(), nil
			}
			text := fmt.Sprintf("message %d", n)
			senders[i].Add(source("192.0.2.1"), 1, []byte(text))
			if err := senders[i].Commit(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			pending[i] = append(pending[i], text)
			if rng.IntN(3) > 0 {
				continue
			}
			if senders[i].Sync(t.Context()) != nil {
				senders[i] = nil
				continue
			}
			for _, text := range pending[i] {
				promised[text] = true
			}
			pending[i] = nil
		}
		if len(promised) == 0 || len(promised) == 200 {
			t.Fatalf("seed %d: %d of 200 messages were promised, want some", seed, len(promised))
		}
		after := open(t, "/", func(o *Options) { o.FS = disk.Crash() })
		seen := map[string]bool{}
		for after.queue.len() > 0 {
			got, _ := entries(t, after.Next(t.Context()))
			for _, e := range got {
				seen[e.Text] = true
			}
		}
		for text := range promised {
			if !seen[text] {
				t.Errorf("seed %d: %q was promised to be on disk and is not", seed, text)
			}
		}
	}
}
