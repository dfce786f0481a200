package inspect

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/vfs"
)

const spoolDir = "/spool"

// site is a spool directory whose files are made by those who make them in a
// relay.
type site struct {
	t   *testing.T
	fs  vfs.FS
	dir string
	gen int
}

func newSite(t *testing.T) (*site, *faultfs.FS) {
	t.Helper()
	disk := faultfs.New(1)
	must(t, disk.Mkdir(spoolDir, 0o700))
	must(t, disk.SyncDir("/"))
	return &site{t: t, fs: disk, dir: spoolDir}, disk
}

// room is a budget without limits.
type room struct{}

func (room) Use(int64)                  {}
func (room) Free(int64)                 {}
func (room) Full() bool                 { return false }
func (room) Wait(context.Context) error { return nil }
func (room) Refused(error)              {}

func (s *site) openSpool() *spool.Spool {
	s.t.Helper()
	q, err := spool.Open(spool.Options{
		Dir: s.dir, FS: s.fs, Ledger: ledger.New(), Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Budget: room{},
	})
	must(s.t, err)
	return q
}

func (s *site) openJournal(published func(string) bool) *journal.Journal {
	s.t.Helper()
	j, err := journal.Open(journal.Options{
		Dir: s.dir, Shards: 1, GenerationBytes: 1 << 20, FlushInterval: time.Hour, SyncInterval: time.Hour, Published: published,
		FS: s.fs, Budget: room{}, Ledger: ledger.New(), Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	must(s.t, err)
	return j
}

// receive makes a journal file with a block for each text and returns its name.
func (s *site) receive(texts ...string) string {
	s.t.Helper()
	before := s.names(".journal")
	j := s.openJournal(nil)
	defer j.Close()
	a := j.NewAppender()
	for i, text := range texts {
		a.Add(event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", i)), 1_700_000_000_000_000, []byte(text))
		must(s.t, a.Commit(s.t.Context(), true))
	}
	for _, name := range s.names(".journal") {
		if !slices.Contains(before, name) {
			return name
		}
	}
	s.t.Fatal("there is no new journal file")
	return ""
}

// publish makes a spool file with a record for each text and returns its name
// without suffix.
func (s *site) publish(texts ...string) string {
	s.t.Helper()
	s.gen++
	name := fmt.Sprintf("%016d-000", 1_700_000_000_000+s.gen)
	q := s.openSpool()
	w, err := q.Create(name)
	must(s.t, err)
	for i, text := range texts {
		must(s.t, w.Append(record(s.t, s.gen, i, text)))
	}
	must(s.t, w.Commit(func() error { return nil }))
	return name
}

// settle delivers the records of these texts, and makes dead letters of those.
func (s *site) settle(delivered, refused []string) {
	s.t.Helper()
	q := s.openSpool()
	for _, rec := range take(s.t, q) {
		text := textOf(s.t, rec.Record)
		switch {
		case slices.Contains(delivered, text):
			must(s.t, q.Delivered([]event.Stored{rec}))
		case slices.Contains(refused, text):
			must(s.t, q.DeadLetter(rec, "it is poison"))
		}
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// names lists the files with a suffix in the directory and in dead/.
func (s *site) names(suffix string) (out []string) {
	s.t.Helper()
	for _, place := range []string{"", deadDir} {
		entries, _ := s.fs.ReadDir(filepath.Join(s.dir, place))
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), suffix) && !e.IsDir() {
				out = append(out, filepath.Join(place, e.Name()))
			}
		}
	}
	return out
}

func (s *site) inspect() *Dir {
	s.t.Helper()
	d, err := Open(s.fs, s.dir)
	must(s.t, err)
	return d
}

// own is Own without a lock, which only files of the system have.
func (s *site) own() *Owned { return &Owned{Dir: s.inspect()} }

func (s *site) files(names ...string) []File {
	s.t.Helper()
	files, err := s.inspect().Files(names...)
	must(s.t, err)
	return files
}

// waiting is what a relay that starts now has to deliver: the texts with their
// event ids, of records and of messages that become records.
func (s *site) waiting() map[string][]string {
	s.t.Helper()
	out := map[string][]string{}
	q := s.openSpool()
	for _, rec := range take(s.t, q) {
		doc := decode(s.t, rec.Record)
		out[doc.LogEvents[0].Message] = append(out[doc.LogEvents[0].Message], doc.LogEvents[0].ID)
	}
	j := s.openJournal(q.Has)
	j.Close()
	for g := j.Next(s.t.Context()); g != nil; g = j.Next(s.t.Context()) {
		c, err := g.Load(make([]byte, g.Size()))
		must(s.t, err)
		id := cwl.NewID(g.Number(), g.Relay(), g.Shard())
		for _, b := range c.Blocks() {
			for seq, text := range b.All() {
				id.Set(seq)
				out[string(text)] = append(out[string(text)], id.String())
			}
		}
	}
	return out
}

// take takes everything.
func take(t *testing.T, q *spool.Spool) (out []event.Stored) {
	t.Helper()
	for q.Stats().Records > len(out) {
		recs, err := q.Take(t.Context(), 500, 4<<20)
		must(t, err)
		out = append(out, recs...)
	}
	return out
}

func record(t *testing.T, generation, seq int, text string) event.Record {
	t.Helper()
	b, err := cwl.NewBuilder(6)
	must(t, err)
	b.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.1")
	id := cwl.NewID(uint64(generation), 1, 0)
	id.Set(uint64(seq))
	b.Add(&id, 1_700_000_000_000, nil, []byte(text))
	data, err := b.Close()
	must(t, err)
	return event.Record{Listener: "udp/514", Events: 1, RawBytes: int64(len(text)), Data: slices.Clone(data)}
}

func decode(t *testing.T, r event.Record) *cwl.Document {
	t.Helper()
	doc, err := cwl.NewDecoder(strings.NewReader(string(r.Data))).Next()
	must(t, err)
	return doc
}

func textOf(t *testing.T, r event.Record) string {
	t.Helper()
	return decode(t, r).LogEvents[0].Message
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
