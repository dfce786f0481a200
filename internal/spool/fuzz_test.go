package spool_test

import (
	"bytes"
	"testing"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
)

// FuzzRecovery starts a spool on a file of any bytes: start-up succeeds, no more
// is given out than the file holds, the books balance, and what is done is done
// for the next start too.
func FuzzRecovery(f *testing.F) {
	data := image(f, records(3, 40)...)
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(data[:64])
	f.Add([]byte(nil))
	f.Add(bytes.Repeat([]byte("KREC"), 50))
	f.Add(append(bytes.Clone(data[:100]), data[150:]...))
	f.Add(append(bytes.Clone(data), data...))
	newer := bytes.Clone(data)
	spool.SetVersion(newer, 7)
	f.Add(newer)
	f.Fuzz(func(t *testing.T, data []byte) {
		disk := withFile(t, data)
		b := mustOpen(t, disk, dir)
		got := b.takeAll()
		total := 0
		for _, r := range got {
			total += len(r.Data)
		}
		if total > len(data) {
			t.Fatalf("%d bytes came out of a file of %d", total, len(data))
		}
		b.balance()
		if len(got) > 0 {
			must(t, b.DeadLetter(got[0], "why"))
			must(t, b.Delivered(got[1:]))
		}
		if sum := b.balance(); sum.Held[ledger.Spool] != 0 {
			t.Fatalf("books %+v", sum)
		}
		after := mustOpen(t, disk.Kill(), dir)
		if st := after.Stats(); st.Records != 0 || st.DeadLetters != min(1, len(got)) {
			t.Fatalf("after a restart: %+v", st)
		}
		if after.budget.used.Load() != onDisk(t, after.fs, dir) {
			t.Fatalf("budget %d, on disk %d", after.budget.used.Load(), onDisk(t, after.fs, dir))
		}
	})
}

// FuzzAppend checks that whatever is put in comes out again after a restart.
func FuzzAppend(f *testing.F) {
	f.Add("tcp/514", 1, int64(10), []byte("data"), []byte("KRECKRSN"))
	f.Add("", 0, int64(0), []byte("KSLGEND1"), []byte{0})
	f.Fuzz(func(t *testing.T, listener string, events int, raw int64, first, second []byte) {
		disk := newDisk(t, 1)
		b := mustOpen(t, disk, dir)
		w, err := b.Create(name(1))
		must(t, err)
		var want []event.Record
		for _, data := range [][]byte{first, second} {
			r := event.Record{Listener: listener, Events: events, RawBytes: raw, Data: data}
			if w.Append(r) == nil {
				want = append(want, r)
			}
		}
		must(t, w.Commit(func() error { return nil }))
		after := mustOpen(t, disk.Crash(), dir)
		same(t, 1, want, after.takeAll())
		after.balance()
	})
}
