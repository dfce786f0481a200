package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/vfs"
)

// room is a Budget that can be switched full.
type room struct {
	full    atomic.Bool
	used    atomic.Int64
	refused atomic.Int64
	freed   chan struct{}
}

func newRoom() *room              { return &room{freed: make(chan struct{}, 1)} }
func (r *room) Use(n int64)       { r.used.Add(n) }
func (r *room) Free(n int64)      { r.used.Add(-n) }
func (r *room) Full() bool        { return r.full.Load() }
func (r *room) Refused(err error) { r.refused.Add(1) }

func (r *room) Wait(ctx context.Context) error {
	select {
	case <-r.freed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bench is a journal with what is around it.
type bench struct {
	*Journal
	options Options
	room    *room
	ledger  *ledger.Ledger
}

func open(t testing.TB, dir string, change func(*Options)) *bench {
	t.Helper()
	b := &bench{room: newRoom(), ledger: ledger.New()}
	b.options = Options{
		Dir: dir, Shards: 2, GenerationBytes: 1 << 20, FlushInterval: time.Hour, SyncInterval: time.Second,
		FS: vfs.OS{}, Budget: b.room, Ledger: b.ledger, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&b.options)
	}
	j, err := Open(b.options)
	if err != nil {
		t.Fatal(err)
	}
	b.Journal = j
	return b
}

// entry is a message as a reader of the journal sees it.
type entry struct {
	Generation string
	Seq        uint64
	Address    string
	Text       string
}

// entries reads a generation.
func entries(t testing.TB, g *Generation) (out []entry, damage []Damage) {
	t.Helper()
	c, err := g.Load(make([]byte, g.Size()))
	if err != nil {
		t.Fatal(err)
	}
	for at, b := range c.Blocks() {
		if diff := cmp.Diff(b, c.At(at)); diff != "" {
			t.Fatalf("At(%d) differs from what Blocks gave:\n%s", at, diff)
		}
		src, err := event.ParseSource(string(b.Source))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for seq, text := range b.All() {
			out = append(out, entry{g.Name, seq, src.Address, string(text)})
			n++
		}
		if n != b.Count {
			t.Fatalf("block of %d messages holds %d", b.Count, n)
		}
	}
	return out, c.Damage()
}

func source(address string) *event.Source {
	return event.NewSource("tcp/514", "syslog", "514", address)
}

// put commits texts of one source.
func put(t testing.TB, j *Journal, s *event.Source, texts ...string) {
	t.Helper()
	a := j.NewAppender()
	for _, text := range texts {
		a.Add(s, 1_700_000_000_000_000, []byte(text))
	}
	if err := a.Commit(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

// take seals and reads everything that waits.
func take(t testing.TB, j *Journal) (out []entry) {
	t.Helper()
	j.Seal()
	for j.queue.len() > 0 {
		e, damage := entries(t, j.Next(t.Context()))
		if len(damage) > 0 {
			t.Fatalf("there is damage: %v", damage)
		}
		out = append(out, e...)
	}
	return out
}

func texts(entries []entry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out
}

func TestWhatIsCommittedComesBackInOrderAndUnaltered(t *testing.T) {
	j := open(t, t.TempDir(), func(o *Options) { o.Shards = 1 })
	defer j.Close()
	want := []string{"one", "", "three\nlines\x00and\xff", strings.Repeat("x", 262144), "five"}
	put(t, j.Journal, source("192.0.2.1"), want[:2]...)
	put(t, j.Journal, source("192.0.2.2"), want[2:]...)
	got := take(t, j.Journal)
	if diff := cmp.Diff(want, texts(got)); diff != "" {
		t.Error(diff)
	}
	for i, e := range got {
		if e.Seq != uint64(i) {
			t.Errorf("message %d has the number %d", i, e.Seq)
		}
	}
}

func TestKillLosesNothingThatWasCommittedAndKeepsItsNumbers(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir, func(o *Options) { o.SyncInterval = time.Hour })
	for i := range 100 {
		put(t, before.Journal, source(fmt.Sprintf("192.0.2.%d", i%7)), fmt.Sprintf("message %d", i))
	}
	// The process dies here: nothing is closed or synced.
	after := open(t, dir, nil)
	defer after.Close()
	seen := map[string]uint64{}
	for after.queue.len() > 0 {
		g := after.Next(t.Context())
		got, _ := entries(t, g)
		for _, e := range got {
			seen[e.Text] = e.Seq
		}
		if err := g.Drop(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 messages came back", len(seen))
	}
	if got := after.ledger.Snapshot()[0]; got.Recovered != 100 || got.Difference() != 0 {
		t.Errorf("the ledger says %+v", got)
	}
	if used := after.room.used.Load(); used != 0 {
		t.Errorf("%d bytes are still booked after all was dropped", used)
	}
}

func TestGenerationIsClosedBySizeAndByAge(t *testing.T) {
	t.Run("size", func(t *testing.T) {
		j := open(t, t.TempDir(), func(o *Options) { o.Shards, o.GenerationBytes = 1, 10_000 })
		defer j.Close()
		for range 100 {
			put(t, j.Journal, source("192.0.2.1"), strings.Repeat("x", 1000))
		}
		if n := j.queue.len(); n < 10 || n > 13 {
			t.Errorf("100 kB make %d closed generations of 10 kB", n)
		}
	})
	t.Run("age", func(t *testing.T) {
		j := open(t, t.TempDir(), func(o *Options) { o.FlushInterval = 10 * time.Millisecond })
		defer j.Close()
		put(t, j.Journal, source("192.0.2.1"), "x")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if g := j.Next(ctx); g == nil {
			t.Error("a generation that is old enough was not closed")
		}
	})
}

func TestPublishedGenerationIsNotReplayed(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir, nil)
	put(t, before.Journal, source("192.0.2.1"), "x")
	before.Close()
	after := open(t, dir, func(o *Options) { o.Published = func(string) bool { return true } })
	defer after.Close()
	if n := after.queue.len(); n != 0 {
		t.Errorf("%d generations are replayed", n)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"+Suffix))
	if len(left) != 0 {
		t.Errorf("%v are still there", left)
	}
}

func TestNumbersOfGenerationsNeverRepeatEvenIfTheClockStepsBack(t *testing.T) {
	dir := t.TempDir()
	future := uint64(time.Now().Add(24 * time.Hour).UnixMilli())
	if err := os.WriteFile(filepath.Join(dir, name(fileHeader{generation: future})+".spool"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, dir, nil)
	defer j.Close()
	put(t, j.Journal, source("192.0.2.1"), "x")
	j.Seal()
	if g := j.Next(t.Context()); g.Number() <= future {
		t.Errorf("generation %d follows %d", g.Number(), future)
	}
}

func TestEveryWholeBlockIsFoundAroundDamage(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, func(o *Options) { o.Shards = 1 })
	for i := range 10 {
		put(t, j.Journal, source("192.0.2.1"), fmt.Sprintf("message %d %s", i, strings.Repeat("x", 100)))
	}
	j.Close()
	path, _ := filepath.Glob(filepath.Join(dir, "*"+Suffix))
	whole, err := os.ReadFile(path[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		data := append([]byte(nil), whole...)
		data[at] ^= 0x10
		c := &Contents{data: data}
		n := 0
		for _, b := range c.Blocks() {
			for range b.All() {
				n++
			}
		}
		switch {
		case at < fileHeaderSize && n != 10:
			t.Fatalf("a bit flipped in the file's header, at %d, leaves %d of 10 messages", at, n)
		case at >= fileHeaderSize && n != 9:
			t.Fatalf("a bit flipped at %d leaves %d of 10 messages, want 9", at, n)
		case len(c.Damage()) != 1:
			t.Fatalf("a bit flipped at %d gives the damage %v", at, c.Damage())
		}
	}
	for size := range whole {
		c := &Contents{data: whole[:size]}
		for range c.Blocks() {
		}
		for _, d := range c.Damage() {
			if !d.Torn && size != fileHeaderSize {
				t.Fatalf("a file cut at %d is called damaged, not torn", size)
			}
		}
	}
}

func TestFullJournalBlocksThoseWhoCanWaitAndCountsTheOthers(t *testing.T) {
	j := open(t, t.TempDir(), nil)
	defer j.Close()
	j.room.full.Store(true)

	udp := j.NewAppender()
	udp.Add(source("192.0.2.1"), 0, []byte("datagram"))
	if err := udp.Commit(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if got := j.ledger.Snapshot()[0]; got.Dropped[ReasonFull] != 1 || got.Difference() != 0 {
		t.Errorf("the ledger says %+v", got)
	}

	done := make(chan error)
	go func() {
		tcp := j.NewAppender()
		tcp.Add(source("192.0.2.1"), 0, []byte("line"))
		done <- tcp.Commit(t.Context(), true)
	}()
	select {
	case err := <-done:
		t.Fatalf("Commit did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	j.room.full.Store(false)
	j.room.freed <- struct{}{}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := texts(take(t, j.Journal)); !cmp.Equal(got, []string{"line"}) {
		t.Errorf("the journal holds %q", got)
	}
}

func TestWhatWaitsForRoomIsWrittenAllTheSameWhenTimeIsUp(t *testing.T) {
	j := open(t, t.TempDir(), nil)
	defer j.Close()
	j.room.full.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := j.NewAppender()
	a.Add(source("192.0.2.1"), 0, []byte("line"))
	if err := a.Commit(ctx, true); err != nil {
		t.Errorf("Commit returned %v", err)
	}
	if got := texts(take(t, j.Journal)); !cmp.Equal(got, []string{"line"}) {
		t.Errorf("the journal holds %q", got)
	}
}

func TestWhatTheDiskDoesNotTakeWhenTimeIsUpIsBookedAsDropped(t *testing.T) {
	disk := faultfs.New(1)
	j := open(t, "/", func(o *Options) { o.FS = disk })
	defer j.Close()
	disk.Inject(faultfs.Fault{Op: faultfs.OpWrite, Suffix: Suffix, Err: syscall.ENOSPC})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := j.NewAppender()
	a.Add(source("192.0.2.1"), 0, []byte("line"))
	if err := a.Commit(ctx, true); !errors.Is(err, context.Canceled) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Commit returned %v", err)
	}
	if got := j.ledger.Snapshot()[0]; got.DroppedTotal() != 1 || got.Difference() != 0 {
		t.Errorf("the ledger says %+v", got)
	}
}

// slowDisk counts fsyncs and makes each take long enough for others to queue.
type slowDisk struct {
	vfs.FS
	syncs atomic.Int64
}

type slowFile struct {
	vfs.File
	disk *slowDisk
}

func (d *slowDisk) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	return slowFile{f, d}, err
}

func (f slowFile) Sync() error {
	f.disk.syncs.Add(1)
	time.Sleep(time.Millisecond)
	return f.File.Sync()
}

func TestThoseWhoWaitForTheDiskShareItsSyncs(t *testing.T) {
	disk := &slowDisk{FS: faultfs.New(1)}
	j := open(t, "/", func(o *Options) { o.FS, o.SyncInterval = disk, time.Hour })
	defer j.Close()
	const readers, messages = 50, 20
	var wg sync.WaitGroup
	for i := range readers {
		wg.Go(func() {
			a := j.NewDurableAppender()
			for range messages {
				a.Add(source(fmt.Sprintf("192.0.2.%d", i)), 0, []byte("x"))
				if err := a.Commit(t.Context(), true); err != nil {
					t.Error(err)
				}
				if err := a.Sync(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := disk.syncs.Load(); n > readers*messages/4 {
		t.Errorf("%d fsyncs for %d messages that waited together", n, readers*messages)
	}
}

func TestNoAllocationFromSocketToJournal(t *testing.T) {
	j := open(t, t.TempDir(), func(o *Options) { o.GenerationBytes = 1 << 30 })
	defer j.Close()
	sources := []*event.Source{source("192.0.2.1"), source("192.0.2.2"), source("192.0.2.3")}
	text := []byte(strings.Repeat("x", 256))
	a := j.NewAppender()
	batch := func() {
		for i := range 300 {
			a.Add(sources[i/100], 1, text)
		}
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	batch()
	if got := testing.AllocsPerRun(50, batch); got > 15 { // the race detector empties pools
		t.Errorf("%v allocations for 300 messages", got)
	}
}

func FuzzBlocks(f *testing.F) {
	s := source("192.0.2.1").Key()
	block := event.AppendText(beginBlock(nil, s, 1), []byte("text"))
	sealBlock(block, 1)
	numberBlock(block, 7)
	whole := append(fileHeader{generation: 1, relay: 2, shard: 3}.append(nil), block...)
	f.Add(whole)
	f.Add(append(whole, block...))
	f.Add(whole[:len(whole)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Contents{data: data}
		covered := 0
		for at, b := range c.Blocks() {
			again := c.At(at)
			if diff := cmp.Diff(b, again); diff != "" {
				t.Fatal(diff)
			}
			covered += blockHeaderSize + len(b.Source) + len(b.Texts)
			for range b.All() {
			}
		}
		for _, d := range c.Damage() {
			covered += d.Bytes
		}
		if _, err := parseFileHeader(data); err == nil {
			covered += fileHeaderSize
		}
		if covered != len(data) {
			t.Fatalf("blocks and damage cover %d of %d bytes", covered, len(data))
		}
	})
}
