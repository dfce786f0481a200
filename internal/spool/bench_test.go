package spool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/vfs"
)

const dir = "/spool"

// budget counts what the spool says it uses.
type budget struct{ used atomic.Int64 }

func (b *budget) Use(n int64)  { b.used.Add(n) }
func (b *budget) Free(n int64) { b.used.Add(-n) }

// bench is a spool with all that it was given.
type bench struct {
	*spool.Spool
	t      testing.TB
	dir    string
	fs     vfs.FS
	ledger *ledger.Ledger
	budget *budget
	reg    *prometheus.Registry
	log    *bytes.Buffer
}

func open(t testing.TB, fsys vfs.FS, dir string) (*bench, error) {
	b := &bench{
		t: t, dir: dir, fs: fsys, ledger: ledger.New(), budget: &budget{}, reg: prometheus.NewRegistry(), log: &bytes.Buffer{},
	}
	var err error
	b.Spool, err = spool.Open(spool.Options{
		Dir: dir, FS: fsys, Ledger: b.ledger, Budget: b.budget, Registerer: b.reg,
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	return b, err
}

func mustOpen(t testing.TB, fsys vfs.FS, dir string) *bench {
	t.Helper()
	b, err := open(t, fsys, dir)
	must(t, err)
	return b
}

// newDisk is an empty disk with a spool directory on it.
func newDisk(t testing.TB, seed uint64) *faultfs.FS {
	t.Helper()
	f := faultfs.New(seed)
	must(t, f.Mkdir(dir, 0o700))
	must(t, f.SyncDir("/"))
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// name is the name of a generation.
func name(gen int) string { return fmt.Sprintf("%016d-000", 1_700_000_000_000+gen) }

// record is a record whose bytes are known by its number.
func record(n, events, size int) event.Record {
	data := make([]byte, 0, size+8)
	rng := rand.NewPCG(uint64(n), 1)
	for len(data) < size {
		data = binary.LittleEndian.AppendUint64(data, rng.Uint64())
	}
	data = data[:size]
	return event.Record{Listener: fmt.Sprintf("tcp/%d", n%3), Events: events, RawBytes: int64(size) * 10, Data: data}
}

func records(n, size int) (out []event.Record) {
	for i := range n {
		out = append(out, record(i, i+1, size))
	}
	return out
}

// put commits records whose messages were in the journal.
func (b *bench) put(gen int, recs ...event.Record) {
	b.t.Helper()
	must(b.t, b.tryPut(name(gen), recs, func() error { return nil }))
}

func (b *bench) tryPut(name string, recs []event.Record, done func() error) error {
	w, err := b.Create(name)
	if err != nil {
		return err
	}
	for _, r := range recs {
		if err := w.Append(r); err != nil {
			return errors.Join(err, w.Abort())
		}
	}
	return w.Commit(func() error {
		if err := done(); err != nil {
			return err
		}
		for _, r := range recs {
			b.ledger.Receive(r.Listener, uint64(r.Events), uint64(r.RawBytes))
			b.ledger.Move(r.Listener, ledger.Journal, ledger.Spool, uint64(r.Events))
		}
		return nil
	})
}

// take takes what there is, and nothing if there is nothing.
func (b *bench) take(maxRecords, maxBytes int) []event.Stored {
	b.t.Helper()
	if spool.Available(b.Spool) == 0 {
		return nil
	}
	recs, err := b.Take(context.Background(), maxRecords, maxBytes)
	must(b.t, err)
	return recs
}

// takeAll closes the spool and takes the rest.
func (b *bench) takeAll() (out []event.Stored) {
	b.t.Helper()
	b.Close()
	for {
		recs, err := b.Take(context.Background(), 500, 4<<20)
		must(b.t, err)
		if recs == nil {
			return out
		}
		out = append(out, recs...)
	}
}

// balance checks promise 1 and returns the books summed up.
func (b *bench) balance() (sum ledger.Balance) {
	b.t.Helper()
	sum.Dropped = map[string]uint64{}
	for _, l := range b.ledger.Snapshot() {
		if l.Difference() != 0 {
			b.t.Fatalf("the books of %s do not balance: %+v", l.Listener, l)
		}
		sum.Received += l.Received
		sum.Recovered += l.Recovered
		sum.Delivered += l.Delivered
		for i := range l.Held {
			sum.Held[i] += l.Held[i]
		}
		for reason, n := range l.Dropped {
			sum.Dropped[reason] += n
		}
	}
	return sum
}

// metric returns the value of a counter or gauge.
func (b *bench) metric(name string) float64 {
	b.t.Helper()
	families, err := b.reg.Gather()
	must(b.t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	b.t.Fatalf("no metric %s", name)
	return 0
}

// onDisk is what the budget should be: the bytes of the spool's files.
func onDisk(t testing.TB, fsys vfs.FS, dir string) (n int64) {
	t.Helper()
	entries, err := spool.List(fsys, dir)
	must(t, err)
	for _, e := range entries {
		n += e.Size
	}
	return n
}

// filesIn lists the names of the files in a directory.
func filesIn(t testing.TB, fsys vfs.FS, dir string) (out []string) {
	t.Helper()
	entries, err := fsys.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if !e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

// same tells whether records came back as they were put.
func same(t testing.TB, gen int, want []event.Record, got []event.Stored) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.File != name(gen) || g.Listener != w.Listener || g.Events != w.Events || g.RawBytes != w.RawBytes || !bytes.Equal(g.Data, w.Data) {
			t.Fatalf("record %d came back as %s %s %d messages %d bytes, data equal: %v",
				i, g.File, g.Listener, g.Events, g.RawBytes, bytes.Equal(g.Data, w.Data))
		}
	}
}

func (b *bench) logged(text string) bool { return strings.Contains(b.log.String(), text) }
