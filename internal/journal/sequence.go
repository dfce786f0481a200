package journal

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"kinesyslog/internal/event"
)

const (
	// largeBlock is the average from which blocks are read one by one rather
	// than with the whole file: a read costs as much as copying a few KiB.
	largeBlock = 8 << 10
	// ahead is how much is read at once where blocks are read in their order.
	ahead = 256 << 10
)

// placed says where a block lies in the file of its generation.
type placed struct {
	offset, size uint32
	source       *event.Source
}

// place notes a block that was written at the end. Many small ones are not
// noted: a Sequence would be of no use. Called with the shard's mutex.
func (g *Generation) place(offset int64, size int, source *event.Source) {
	if g.scattered {
		return
	}
	if int64(len(g.index)) >= g.journal.options.GenerationBytes/largeBlock {
		g.index, g.scattered = nil, true
		return
	}
	g.index = append(g.index, placed{uint32(offset), uint32(size), source})
}

// Sequence reads the blocks of a generation from its file as they are asked
// for, so that little memory is needed and what was read is still in the
// processor's cache when it is worked on. Not for concurrent use.
type Sequence struct {
	g      *Generation
	window []byte // what was read last
	start  int    // its offset
	next   int    // where the last block ended
	buf    *[]byte
	err    error
}

// Sequence returns nil if the generation is better read as a whole: if its
// blocks are small, or were written by an earlier process. Memory is taken from
// buf, which may grow; what At returns is in it.
func (g *Generation) Sequence(buf *[]byte) *Sequence {
	if g.scattered || len(g.index) == 0 || g.size < int64(len(g.index))*largeBlock {
		return nil
	}
	return &Sequence{g: g, buf: buf}
}

// Blocks yields every block with its offset and source; the rest is At's.
func (s *Sequence) Blocks() iter.Seq2[int, event.Block] {
	return func(yield func(int, event.Block) bool) {
		for _, p := range s.g.index {
			if !yield(int(p.offset), event.Block{Source: []byte(p.source.Key())}) {
				return
			}
		}
	}
}

// At reads a block that Blocks has yielded. It is valid until the next call. If
// it cannot be read, or is damaged, At returns an empty one, and Err says why.
func (s *Sequence) At(offset int) event.Block {
	b, err := s.at(offset)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("read journal file %s at offset %d: %w", s.g.path, offset, err)
	}
	return b
}

func (s *Sequence) at(offset int) (b event.Block, err error) {
	i, ok := slices.BinarySearchFunc(s.g.index, uint32(offset), func(p placed, at uint32) int { return int(p.offset) - int(at) })
	if !ok {
		return b, errors.New("no block was written there")
	}
	size := int(s.g.index[i].size)
	if offset < s.start || offset+size > s.start+len(s.window) {
		if err := s.read(offset, size); err != nil {
			return b, err
		}
	}
	s.next = offset + size
	b, _, err = blockAt(s.window[offset-s.start:][:size])
	return b, err
}

// read reads a block, and what follows if the last one was before it.
func (s *Sequence) read(offset, size int) error {
	n := size
	if offset == s.next || offset == fileHeaderSize {
		n = max(size, min(ahead, int(s.g.size)-offset))
	}
	if n > cap(*s.buf) {
		*s.buf = make([]byte, max(n, ahead))
	}
	s.start, s.window = offset, (*s.buf)[:n]
	got, err := s.g.file.ReadAt(s.window, int64(offset))
	if got == n {
		return nil
	}
	s.window = s.window[:0]
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Err is nil if every block that At was asked for was read and whole.
func (s *Sequence) Err() error { return s.err }

// Damage is nil: a Sequence that meets any has an Err.
func (s *Sequence) Damage() []Damage { return nil }
