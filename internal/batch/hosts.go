package batch

import (
	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
)

const (
	// maxHosts bounds the log streams that are named after hosts in a
	// generation: each is a record of its own, and senders choose the names.
	maxHosts = 10_000
	// maxPlaced bounds the messages that are sorted at a time, to 16 MiB.
	maxPlaced = 1 << 20
)

// hosts sorts the messages of one source by the hosts that they name.
type hosts struct {
	most    int              // messages at a time
	index   map[string]int32 // by the name as it stands in messages
	streams []hostStream     // in the order of their first messages; the first is the source's own
	placed  []placed
	known   int    // of all sources of the generation
	unnamed uint64 // messages that had to go without

	author   *event.Source // whose messages named the most hosts of the generation
	authored int           // how many
}

// hostStream is a log stream with the chain of its messages.
type hostStream struct {
	name        string
	first, last int32
}

// placed is where a message is, and the next one of the same log stream, -1 for
// none.
type placed struct {
	block  int32  // in Converter.blocks
	text   uint32 // offset in Block.Texts
	number uint32 // in the block
	next   int32
}

// reset begins a generation.
func (h *hosts) reset() { h.known, h.unnamed, h.author, h.authored = 0, 0, nil, 0 }

// begin forgets the messages, and all names but the source's own.
func (h *hosts) begin(own string) {
	clear(h.index)
	clear(h.streams)
	h.streams = append(h.streams[:0], hostStream{name: own, first: -1})
	h.placed = h.placed[:0]
}

// place appends a message to the log stream of a host.
func (h *hosts) place(host []byte, p placed) {
	at := int32(len(h.placed))
	p.next = -1
	h.placed = append(h.placed, p)
	s := &h.streams[h.stream(host)]
	if s.first < 0 {
		s.first = at
	} else {
		h.placed[s.last].next = at
	}
	s.last = at
}

func (h *hosts) stream(host []byte) int32 {
	if len(host) == 0 {
		return 0
	}
	i, ok := h.index[string(host)]
	switch {
	case ok:
		return i
	case h.known >= maxHosts:
		h.unnamed++
		return 0
	}
	h.known++
	name := string(host)
	i = int32(len(h.streams))
	h.index[name] = i
	h.streams = append(h.streams, hostStream{name: event.SafeStream(name), first: -1})
	return i
}

// convertByHost makes the documents of one source, at least one for each host
// that its messages name.
func (c *Converter) convertByHost(s *stream, source *event.Source, id *cwl.ID, contents Contents, out Output) error {
	c.hosts.begin(s.name)
	before := c.hosts.known
	for at := s.first; at >= 0; at = c.blocks[at].next {
		b := contents.At(int(c.blocks[at].offset))
		offset := 0
		for n := range b.Count {
			text, next, ok := b.Text(offset)
			if !ok {
				break
			}
			c.hosts.place(c.reader.Host(text), placed{block: at, text: uint32(offset), number: uint32(n)})
			offset = next
		}
		if len(c.hosts.placed) >= c.hosts.most {
			if err := c.convertPlaced(source, id, contents, out); err != nil {
				return err
			}
		}
	}
	if n := c.hosts.known - before; n > c.hosts.authored {
		c.hosts.author, c.hosts.authored = source, n
	}
	return c.convertPlaced(source, id, contents, out)
}

// convertPlaced makes the documents of the messages that were sorted. The names
// stay known.
func (c *Converter) convertPlaced(source *event.Source, id *cwl.ID, contents Contents, out Output) error {
	for i := range c.hosts.streams {
		stream := &c.hosts.streams[i]
		if stream.first < 0 {
			continue
		}
		if err := c.open(stream.name); err != nil {
			return err
		}
		for at := stream.first; at >= 0; at = c.hosts.placed[at].next {
			p := &c.hosts.placed[at]
			b := contents.At(int(c.blocks[p.block].offset))
			text, _, ok := b.Text(int(p.text))
			if !ok {
				break // it was there when it was placed
			}
			id.Set(b.First + uint64(p.number))
			if err := c.add(source, id, b.Received, text, out); err != nil {
				return err
			}
		}
		if err := c.close(source, out); err != nil {
			return err
		}
		stream.first = -1
	}
	c.hosts.placed = c.hosts.placed[:0]
	return nil
}
