package journal

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
)

// written is a journal file as a relay leaves it, on a disk of its own, and what
// is in it.
func written(t testing.TB, texts ...string) (disk *faultfs.FS, name string, relay uint64) {
	t.Helper()
	disk = faultfs.New(1)
	j := open(t, "/", func(o *Options) { o.FS, o.Shards, o.SyncInterval = disk, 1, time.Hour })
	for _, text := range texts {
		put(t, j.Journal, source("192.0.2.1"), text)
	}
	j.Close()
	g := j.Next(t.Context())
	return disk, g.Name, g.Relay()
}

// messages are those of a file with their sequence numbers.
func messages(f *File) map[uint64]string {
	out := map[uint64]string{}
	for _, b := range f.Blocks() {
		for seq, text := range b.All() {
			out[seq] = string(text)
		}
	}
	return out
}

func TestAFileIsReadWhileItIsWritten(t *testing.T) {
	disk := faultfs.New(1)
	j := open(t, "/", func(o *Options) { o.FS, o.Shards, o.SyncInterval = disk, 1, time.Hour })
	defer j.Close()
	put(t, j.Journal, source("192.0.2.1"), "a", "b")
	entries, err := disk.ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	path := "/" + entries[0].Name()
	for _, want := range []map[uint64]string{{0: "a", 1: "b"}, {0: "a", 1: "b", 2: "c"}} {
		f, err := ReadFile(disk, path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, messages(f)); diff != "" || len(f.Damage()) > 0 {
			t.Error(diff, f.Damage())
		}
		put(t, j.Journal, source("192.0.2.1"), "c")
	}
}

func TestWhatIsRestoredIsTakenOverWithItsIds(t *testing.T) {
	for name, c := range map[string]struct {
		flip int64 // byte
		want []entry
	}{
		"whole":            {-1, []entry{{"", 0, "192.0.2.1", "a"}, {"", 1, "192.0.2.1", "b"}, {"", 2, "192.0.2.1", "c"}}},
		"header damaged":   {12, []entry{{"", 0, "192.0.2.1", "a"}, {"", 1, "192.0.2.1", "b"}, {"", 2, "192.0.2.1", "c"}}},
		"a block damaged":  {fileHeaderSize + blockHeaderSize, []entry{{"", 1, "192.0.2.1", "b"}, {"", 2, "192.0.2.1", "c"}}},
		"its magic at all": {fileHeaderSize, []entry{{"", 1, "192.0.2.1", "b"}, {"", 2, "192.0.2.1", "c"}}},
	} {
		disk, old, relay := written(t, "a", "b", "c")
		if c.flip >= 0 {
			if err := disk.FlipBit("/"+old+Suffix, c.flip*8); err != nil {
				t.Fatal(err)
			}
		}
		f, err := ReadFile(disk, "/"+old+Suffix)
		if err != nil {
			t.Fatal(err)
		}
		const fresh = "9000000000000000-007"
		if err := f.Restore(disk, "/", fresh); err != nil {
			t.Fatal(err)
		}
		disk = disk.Crash() // it was durable
		if err := disk.Remove("/" + old + Suffix); err != nil {
			t.Fatal(err)
		}
		j := open(t, "/", func(o *Options) { o.FS, o.SyncInterval = disk, time.Hour })
		g := j.Next(t.Context())
		if g.Name != fresh || g.Number() != f.Number() || g.Relay() != relay || g.Shard() != f.Shard() {
			t.Errorf("%s: %s is number %d of relay %d, shard %d", name, g.Name, g.Number(), g.Relay(), g.Shard())
		}
		got, damage := entries(t, g)
		for i := range got {
			got[i].Generation = ""
		}
		if diff := cmp.Diff(c.want, got); diff != "" || len(damage) > 0 {
			t.Errorf("%s: %s%v", name, diff, damage)
		}
		j.Close()
	}
}

func TestARestoreThatFailsLeavesNothing(t *testing.T) {
	for _, op := range []faultfs.Op{faultfs.OpWrite, faultfs.OpSync, faultfs.OpRename} {
		disk, old, _ := written(t, "a")
		f, err := ReadFile(disk, "/"+old+Suffix)
		if err != nil {
			t.Fatal(err)
		}
		disk.Inject(faultfs.Fault{Op: op})
		if err := f.Restore(disk, "/", "9000000000000000-007"); err == nil {
			t.Errorf("%v failed and nobody says so", op)
		}
		left, err := disk.ReadDir("/")
		if err != nil || len(left) != 2 { // relay.id and the old file
			t.Errorf("%v: %v, %v", op, left, err)
		}
	}
}

func TestABlockThatNoConverterTakesIsNotRestored(t *testing.T) {
	disk := faultfs.New(1)
	data := fileHeader{generation: 1, relay: 2}.append(nil)
	at := len(data)
	data = event.AppendText(beginBlock(data, "another form", 3), []byte("a"))
	sealBlock(data[at:], 1)
	numberBlock(data[at:], 0)
	disk.WriteFile("/0000000000000001-000.journal.bad", data)
	f, err := ReadFile(disk, "/0000000000000001-000.journal.bad")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Restore(disk, "/", "0000000000000002-000"); !errors.Is(err, errForeign) {
		t.Errorf("got %v", err)
	}
}

func FuzzWhatIsWholeSurvivesRestore(f *testing.F) {
	disk, name, _ := written(f, "a", "b", "c")
	whole, err := disk.ReadFile("/" + name + Suffix)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(bytes.Replace(whole, []byte("b"), []byte("x"), 1))
	f.Add(whole[3:])
	f.Fuzz(func(t *testing.T, data []byte) {
		disk := faultfs.New(1)
		disk.WriteFile("/1700000000000000-000.journal", data)
		damaged, err := ReadFile(disk, "/1700000000000000-000.journal")
		if err != nil {
			t.Fatal(err)
		}
		if err := damaged.Restore(disk, "/", "1700000000000001-000"); errors.Is(err, errForeign) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		restored, err := ReadFile(disk, "/1700000000000001-000.journal")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(messages(damaged), messages(restored)); diff != "" || len(restored.Damage()) > 0 {
			t.Error(diff, restored.Damage())
		}
	})
}
