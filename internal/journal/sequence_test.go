package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/vfs"
)

// sealed writes large blocks of some senders and returns the generation.
func sealed(t *testing.T, fsys vfs.FS, dir string, senders int) *Generation {
	t.Helper()
	j := open(t, dir, func(o *Options) { o.FS, o.Shards, o.GenerationBytes = fsys, 1, 32<<20 })
	random := rand.New(rand.NewPCG(1, uint64(senders)))
	sources := make([]*event.Source, senders)
	for i := range sources {
		sources[i] = source(fmt.Sprintf("192.0.2.%d", i))
	}
	for range 60 {
		var texts []string
		for size := 0; size < 60_000; {
			text := strings.Repeat(string(rune('a'+random.IntN(26))), 100+random.IntN(400))
			if random.IntN(2000) == 0 {
				text = strings.Repeat("long ", 100_000) // more than is read ahead
			}
			texts = append(texts, text)
			size += len(text)
		}
		put(t, j.Journal, sources[random.IntN(senders)], texts...)
	}
	j.Close()
	g := j.Next(t.Context())
	if g == nil {
		t.Fatal("there is no generation")
	}
	return g
}

func TestSequenceGivesTheBlocksOfTheWholeFileInWhateverOrder(t *testing.T) {
	for _, senders := range []int{1, 2, 20} {
		g := sealed(t, vfs.OS{}, t.TempDir(), senders)
		whole, err := g.Load(make([]byte, g.Size()))
		if err != nil {
			t.Fatal(err)
		}
		var buf []byte
		s := g.Sequence(&buf)
		if s == nil {
			t.Fatalf("%d senders: no sequence of blocks of %d bytes on average", senders, g.Size()/int64(len(g.index)))
		}
		bySender := map[string][]int{}
		blocks := 0
		for at, b := range whole.Blocks() {
			bySender[string(b.Source)] = append(bySender[string(b.Source)], at)
			blocks++
		}
		for at, b := range s.Blocks() {
			if w := whole.At(at); string(b.Source) != string(w.Source) {
				t.Errorf("%d senders: block at %d is of %s, want %s", senders, at, b.Source, w.Source)
			}
			blocks--
		}
		if blocks != 0 {
			t.Errorf("%d senders: %d blocks more in the file than in the sequence", senders, blocks)
		}
		for range 2 { // a generation may be converted again
			for _, offsets := range bySender {
				for _, at := range offsets {
					// cmp.Diff takes seconds for all of them.
					if w, b := whole.At(at), s.At(at); !reflect.DeepEqual(w, b) {
						t.Fatalf("%d senders: block at %d has %d messages and %d bytes, want %d and %d", senders, at, b.Count, len(b.Texts), w.Count, len(w.Texts))
					}
				}
			}
		}
		if s.Err() != nil || s.Damage() != nil {
			t.Errorf("%d senders: error %v, damage %v", senders, s.Err(), s.Damage())
		}
	}
}

func TestSmallBlocksAndThoseOfAnEarlierProcessAreReadWithTheWholeFile(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, func(o *Options) { o.Shards = 1 })
	for i := range 1000 {
		put(t, j.Journal, source("192.0.2.1"), fmt.Sprintf("message %d", i))
	}
	j.Close()
	var buf []byte
	if g := j.Next(t.Context()); g.Sequence(&buf) != nil {
		t.Error("there is a sequence of small blocks")
	}

	dir = t.TempDir()
	sealed(t, vfs.OS{}, dir, 1)
	again := open(t, dir, nil)
	defer again.Close()
	if g := again.Next(t.Context()); g == nil || g.Sequence(&buf) != nil {
		t.Error("there is a sequence of blocks that an earlier process wrote")
	}
}

func TestBlockThatIsDamagedOrCannotBeReadIsAnErrorOfTheSequence(t *testing.T) {
	g := sealed(t, vfs.OS{}, t.TempDir(), 1)
	damaged := int(g.index[3].offset)
	f, err := os.OpenFile(g.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("?"), int64(damaged+blockHeaderSize+500)); err != nil {
		t.Fatal(err)
	}
	disk := faultfs.New(1)
	unread := sealed(t, disk, "/", 1)
	disk.Inject(faultfs.Fault{Op: faultfs.OpRead})
	for name, c := range map[string]struct {
		g  *Generation
		at int
	}{"damaged": {g, damaged}, "cannot be read": {unread, int(unread.index[0].offset)}, "no block": {g, damaged + 1}} {
		var buf []byte
		s := c.g.Sequence(&buf)
		if b := s.At(c.at); b.Count != 0 || b.Texts != nil {
			t.Errorf("%s: At gave %d messages", name, b.Count)
		}
		if err := s.Err(); err == nil || !strings.Contains(err.Error(), c.g.path) {
			t.Errorf("%s: error is %v, want one that names %s", name, err, c.g.path)
		}
	}
}
