package cwl

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/klauspost/compress/gzip"

	"kinesyslog/internal/deflate"
)

// compressor makes gzip members, one after the other.
type compressor interface {
	// reset begins a member. The one that close returned becomes invalid.
	reset()
	// write compresses JSON. The hints are for those who can use them.
	write(json []byte, hints []deflate.Hint) error
	// flush makes bound exact to within 1,300 bytes, at the cost of some.
	flush() error
	// bound returns the most bytes that the member has if it is closed after n
	// more bytes.
	bound(n int) int
	// close ends the member and returns it.
	close() ([]byte, error)
}

const (
	gzipTrailerSize = 8
	// Levels 4 to 6 are made by package deflate, which on log documents takes
	// less time than the library at 5 and 6, for records about as small as at 6.
	firstOwnLevel, lastOwnLevel = 4, 6
)

func newCompressor(level int) (compressor, error) {
	if level >= firstOwnLevel && level <= lastOwnLevel {
		return &ownCompressor{deflate: deflate.NewEncoder()}, nil
	}
	l := &libraryCompressor{held: mostHeld(level)}
	gz, err := gzip.NewWriterLevel(&l.out, level)
	if err != nil {
		return nil, fmt.Errorf("gzip level %d: %w", level, err)
	}
	l.gz = gz
	return l, nil
}

// ownCompressor is a gzip member (RFC 1952) around package deflate.
type ownCompressor struct {
	deflate *deflate.Encoder
	out     []byte
	crc     uint32
	size    uint32
}

// memberHead says deflate, no flags, no time, no level, unknown system (RFC 1952
// section 2.3).
const memberHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

func (c *ownCompressor) reset() {
	c.out = append(c.out[:0], memberHead...)
	c.deflate.Reset(c.out)
	c.crc, c.size = 0, 0
}

func (c *ownCompressor) write(json []byte, hints []deflate.Hint) error {
	c.crc = crc32.Update(c.crc, crc32.IEEETable, json)
	c.size += uint32(len(json))
	c.deflate.Write(json, hints)
	return nil
}

func (c *ownCompressor) flush() error {
	c.deflate.Flush()
	return nil
}

func (c *ownCompressor) bound(n int) int { return c.deflate.Bound(n) + gzipTrailerSize }

func (c *ownCompressor) close() ([]byte, error) {
	c.out = c.deflate.Close()
	c.out = binary.LittleEndian.AppendUint32(c.out, c.crc)
	c.out = binary.LittleEndian.AppendUint32(c.out, c.size)
	return c.out, nil
}

// libraryCompressor is klauspost/compress.
type libraryCompressor struct {
	gz    *gzip.Writer
	out   output
	given int // bytes of JSON
	held  int // the most of them that it can have seen and not written out
}

// output gathers what the compressor writes.
type output struct{ b []byte }

func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), nil
}

// mostHeld returns how many bytes the library may still make of what it has
// been given, besides those that it has written out. Levels 1 to 3 compress a
// window of 65,535 bytes whenever it is full; those from 7 on look ahead in such
// a window and besides gather a block of 32,768 tokens, none of which is longer
// than 4 bytes on average.
func mostHeld(level int) int {
	if level > lastOwnLevel {
		return 64<<10 + 4*32<<10
	}
	return 64 << 10
}

func (c *libraryCompressor) reset() {
	c.out.b = c.out.b[:0]
	c.gz.Reset(&c.out)
	c.gz.ModTime = time.Unix(0, 0) // written as 0; the zero Time is not
	c.given = 0
}

func (c *libraryCompressor) write(json []byte, _ []deflate.Hint) error {
	c.given += len(json)
	_, err := c.gz.Write(json)
	return err
}

func (c *libraryCompressor) flush() error {
	c.given = 0
	return c.gz.Flush()
}

// bound builds on how the library works: where it finds nothing to save it
// stores, at 5 bytes a block; a block that is no longer in its window costs a
// per cent more. With a 64th and 1 KiB this is on the safe side.
func (c *libraryCompressor) bound(n int) int {
	open := min(c.given, c.held) + n
	return len(c.out.b) + open + open/64 + 1024 + gzipTrailerSize
}

func (c *libraryCompressor) close() ([]byte, error) {
	err := c.gz.Close()
	return c.out.b, err
}
