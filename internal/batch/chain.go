package batch

import (
	"fmt"
	"math"

	"kinesyslog/internal/event"
)

// chained is a block's offset, its source, and the next block of the same log
// stream, -1 for none.
type chained struct {
	offset uint32
	source int32 // in Converter.sources
	next   int32
}

// chain chains the blocks of each log stream.
func (c *Converter) chain(contents Contents) error {
	clear(c.index)
	clear(c.sources)
	c.sources, c.blocks = c.sources[:0], c.blocks[:0]
	c.streams.reset()
	for offset, b := range contents.Blocks() {
		if int64(offset) > math.MaxUint32 || len(c.blocks) == math.MaxInt32 {
			return fmt.Errorf("a generation of more than %d bytes or blocks", uint32(math.MaxUint32))
		}
		at := int32(len(c.blocks))
		i, ok := c.index[string(b.Source)]
		if !ok {
			source, err := event.ParseSource(string(b.Source))
			if err != nil {
				return fmt.Errorf("%w: %w", ErrSource, err)
			}
			i = int32(len(c.sources))
			c.index[source.Key()] = i
			c.sources = append(c.sources, source)
			c.streams.add(source)
		}
		c.blocks = append(c.blocks, chained{offset: uint32(offset), source: i, next: -1})
		if s := c.streams.of(i); s.first < 0 {
			s.first, s.last = at, at
		} else {
			c.blocks[s.last].next = at
			s.last = at
		}
	}
	return nil
}
