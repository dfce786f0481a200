package journal

import (
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// Suffix ends the names of journal files.
const Suffix = ".journal"

// Generation is one journal file. Once the journal has given it out by Next it
// belongs to the caller, who converts it and then drops it or returns it.
type Generation struct {
	// Name is the file's name without suffix: generation and shard.
	Name string

	journal *Journal
	header  fileHeader
	path    string
	begun   time.Time
	age     *time.Timer // seals it when its time has come

	// Guarded by the shard's mutex while the generation is open, constant after.
	size   int64
	text   int64 // bytes of messages as they came
	next   uint64
	counts []Count
	index  []placed // the blocks, unless it is scattered
	// scattered: blocks are small, or were written by an earlier process.
	scattered bool

	syncing sync.Mutex // held while the file is synced or closed
	file    vfs.File   // nil once dropped

	// Guarded by the syncer.
	listed  bool  // has data that is not on disk
	fresh   bool  // its directory entry may not be on disk
	failed  error // of its fsync
	dropped bool  // what it holds is on disk elsewhere
}

// Damage is a part of a journal file that is no whole block.
type Damage struct {
	Offset, Bytes int
	// Torn says that nothing whole follows: most likely the last write before
	// a crash, of which nobody was told that it was safe.
	Torn bool
}

// Count is how many messages of a listener a generation holds.
type Count struct {
	Listener string
	Messages uint64
}

// count books messages. Called with the shard's mutex, or before anybody else
// knows the generation.
func (g *Generation) count(listener string, n uint64) {
	for i := range g.counts {
		if g.counts[i].Listener == listener {
			g.counts[i].Messages += n
			return
		}
	}
	g.counts = append(g.counts, Count{listener, n})
}

// name makes a file's name: they sort in the order of creation.
func name(h fileHeader) string { return fmt.Sprintf("%016d-%03d", h.generation, h.shard) }

// parseName is the inverse of name, for files whose header is damaged.
func parseName(s string) (h fileHeader, err error) {
	generation, shard, ok := strings.Cut(s, "-")
	if !ok || len(generation) != 16 {
		return h, fmt.Errorf("%q is no name of a generation", s)
	}
	if h.generation, err = strconv.ParseUint(generation, 10, 64); err != nil {
		return h, err
	}
	h.shard, err = strconv.Atoi(shard)
	return h, err
}

// Number, Relay and Shard are what the event ids of its messages are made of.
func (g *Generation) Number() uint64 { return g.header.generation }

// Relay is the id of the relay that wrote the generation.
func (g *Generation) Relay() uint64 { return g.header.relay }

// Shard is the index of the shard that wrote the generation.
func (g *Generation) Shard() int { return g.header.shard }

// Size is the file's length in bytes.
func (g *Generation) Size() int64 { return g.size }

// Counts tells what the ledger holds of this generation as being in the
// journal. Where a file was damaged since, fewer messages come from Load.
func (g *Generation) Counts() []Count { return g.counts }

// Load reads the whole file into buf, which must have room for Size bytes.
func (g *Generation) Load(buf []byte) (*Contents, error) {
	data := buf[:g.size]
	if n, err := g.file.ReadAt(data, 0); n < len(data) {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read journal file %s: %w", g.path, err)
	}
	return &Contents{data: data}, nil
}

// Drop removes the file: its messages are safe elsewhere. After an error it may
// be called again, or the generation be returned.
func (g *Generation) Drop() error {
	if err := g.journal.fs.Remove(g.path); err != nil {
		return fmt.Errorf("remove journal file: %w", err)
	}
	g.close()
	g.journal.budget.Free(g.size)
	g.journal.metrics.generations.Dec()
	return nil
}

// SetAside renames a damaged file to .bad instead of dropping it. What could be
// read of it is safe elsewhere. It goes on using room on the disk. After an
// error it may be called again.
func (g *Generation) SetAside(damage []Damage) error {
	bad := g.path + ".bad"
	if err := g.journal.fs.Rename(g.path, bad); err != nil {
		return fmt.Errorf("set a damaged journal file aside: %w", err)
	}
	g.close()
	g.journal.metrics.generations.Dec()
	g.journal.metrics.damaged.Add(float64(len(damage)))
	for _, d := range damage {
		g.journal.log.Error("a journal file is damaged: its whole blocks were taken, the file was set aside",
			slog.String("file", bad), slog.Int("offset", d.Offset), slog.Int("bytes", d.Bytes))
	}
	return nil
}

// Return puts the generation back: it will come from Next again.
func (g *Generation) Return() { g.journal.queue.put(g) }

// close waits for a sync that is under way; there is none after it.
func (g *Generation) close() {
	g.syncing.Lock()
	defer g.syncing.Unlock()
	_ = g.file.Close() // nothing of it is needed any more
	g.file = nil
	g.journal.syncer.dropped(g)
}

// Contents are the blocks of a loaded generation.
type Contents struct {
	data   []byte
	damage []Damage
}

// Blocks yields every whole block with its offset. Whatever lies between them
// is in Damage afterwards.
func (c *Contents) Blocks() iter.Seq2[int, event.Block] {
	return func(yield func(int, event.Block) bool) {
		c.damage = c.damage[:0]
		at := fileHeaderSize
		if _, err := parseFileHeader(c.data); err != nil {
			at = c.skip(0)
		}
		for at < len(c.data) {
			b, size, err := blockAt(c.data[at:])
			if err != nil {
				at = c.skip(at)
				continue
			}
			if !yield(at, b) {
				return
			}
			at += size
		}
	}
}

// skip notes damage and returns where it ends.
func (c *Contents) skip(at int) int {
	next := nextBlock(c.data, min(at+1, len(c.data)))
	if next < 0 {
		c.damage = append(c.damage, Damage{Offset: at, Bytes: len(c.data) - at, Torn: at > 0 || len(c.data) < fileHeaderSize})
		return len(c.data)
	}
	c.damage = append(c.damage, Damage{Offset: at, Bytes: next - at})
	return next
}

// At returns a block that Blocks has yielded, by its offset.
func (c *Contents) At(offset int) event.Block {
	data := c.data[offset:]
	payload := int(uint32(data[8]) | uint32(data[9])<<8 | uint32(data[10])<<16 | uint32(data[11])<<24)
	return decodeBlock(data[:blockHeaderSize+payload], int(data[32])|int(data[33])<<8)
}

// Err is nil: Load has read all of it, and what is damaged is in Damage.
func (c *Contents) Err() error { return nil }

// Damage tells what the last walk through Blocks could not read.
func (c *Contents) Damage() []Damage { return c.damage }
