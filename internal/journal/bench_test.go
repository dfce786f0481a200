package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/yardstick"
)

// generationBytes is how large files become before the next one is begun.
const generationBytes = 32 << 20

// drained opens a journal whose generations are dropped as soon as they are
// closed, and that never syncs: a generation that is converted within the sync
// interval is not synced either.
func drained(b *testing.B, shards int) *bench {
	j := open(b, b.TempDir(), func(o *Options) {
		o.Shards, o.SyncInterval, o.GenerationBytes = shards, time.Hour, generationBytes
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for g := j.Next(b.Context()); g != nil; g = j.Next(b.Context()) {
			_ = g.Drop()
		}
	}()
	b.Cleanup(func() {
		j.Close()
		<-done
	})
	return j
}

// commit puts n messages of 256 bytes into the journal as one read of a socket
// does.
func commit(b *testing.B, a *Appender, s *event.Source, text []byte, n int) {
	for range n {
		a.Add(s, 1, text)
	}
	if err := a.Commit(b.Context(), true); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkYardstick has the bare write(2) of the same bytes as the yardstick,
// for reads of a socket that held 1, 16 or 64 messages.
func BenchmarkYardstick(b *testing.B) {
	text := []byte(strings.Repeat("x", 256))
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("append-%d/ours", n), func(b *testing.B) {
			j := drained(b, 1)
			s, a := source("192.0.2.1"), j.NewAppender()
			yardstick.Measure(b, n, n*256, func() { commit(b, a, s, text, n) })
		})
		b.Run(fmt.Sprintf("append-%d/write", n), func(b *testing.B) {
			j := drained(b, 1)
			commit(b, j.NewAppender(), source("192.0.2.1"), text, n)
			w := newWriter(b, int(j.room.used.Load())-fileHeaderSize)
			yardstick.Measure(b, n, n*256, w.write)
		})
	}
}

// writer writes as many bytes as a commit does, to files as large as the
// journal's.
type writer struct {
	b    *testing.B
	path string
	file *os.File
	data []byte
	size int64
}

func newWriter(b *testing.B, bytes int) *writer {
	w := &writer{b: b, path: filepath.Join(b.TempDir(), "file"), data: make([]byte, bytes)}
	w.begin()
	b.Cleanup(func() { _ = w.file.Close() })
	return w
}

func (w *writer) begin() {
	f, err := os.Create(w.path)
	if err != nil {
		w.b.Fatal(err)
	}
	w.file, w.size = f, 0
}

func (w *writer) write() {
	if w.size >= generationBytes {
		_ = w.file.Close()
		if err := os.Remove(w.path); err != nil {
			w.b.Fatal(err)
		}
		w.begin()
	}
	if _, err := w.file.WriteAt(w.data, w.size); err != nil {
		w.b.Fatal(err)
	}
	w.size += int64(len(w.data))
}

// BenchmarkShared is what readers on different cores share. An operation is a
// commit of so many messages, by each core to a shard of its own as long as there
// are as many. write is the kernel's part of it, to a file for each core. At last
// the pieces of a commit that all shards share, but for the ledger, which has a
// benchmark of its own.
func BenchmarkShared(b *testing.B) {
	text := []byte(strings.Repeat("x", 256))
	for _, n := range []int{1, 64} {
		for _, shards := range []int{8, 1} {
			b.Run(fmt.Sprintf("commit_of_%d/shards_%d", n, shards), func(b *testing.B) {
				j := drained(b, shards)
				yardstick.Together(b, func(core int) func() {
					s, a := sourceOf(j.Journal, core%shards), j.NewAppender()
					return func() { commit(b, a, s, text, n) }
				})
			})
		}
		b.Run(fmt.Sprintf("commit_of_%d/write", n), func(b *testing.B) {
			yardstick.Together(b, func(int) func() { return newWriter(b, n*260).write })
		})
	}
	j := drained(b, 8)
	b.Run("note_as_dirty", func(b *testing.B) {
		yardstick.Together(b, func(int) func() {
			g := &Generation{listed: true}
			return func() { j.syncer.dirty(g) }
		})
	})
	b.Run("count_written_bytes", func(b *testing.B) {
		yardstick.Together(b, func(int) func() { return func() { j.metrics.written.Add(16640) } })
	})
}

// sourceOf returns a source whose messages go into a shard.
func sourceOf(j *Journal, shard int) *event.Source {
	for i := 0; ; i++ {
		if s := source(fmt.Sprintf("192.0.2.%d", i)); j.shardOf(s) == shard {
			return s
		}
	}
}
