package batch

import "kinesyslog/internal/event"

// streams are the log streams of a generation, each with the chain of its
// blocks, in the order of their first blocks. Every source has one of its own
// unless nameOf says otherwise; one that its listener has named keeps it.
type streams struct {
	nameOf   func(listener, address string) string // Rules.StreamOf
	shared   map[sharing]int32                     // in all; empty without nameOf
	bySource []int32                               // in all, by the source's index
	all      []stream
}

// stream is a log stream with the chain of its blocks; first is -1 before the
// first.
type stream struct {
	name        string
	first, last int32
}

// sharing is what sources have in common that share a log stream. A listener is
// a part of it, as the ledger asks whose messages a record holds.
type sharing struct{ listener, format, port, name string }

func newStreams(nameOf func(listener, address string) string) streams {
	return streams{nameOf: nameOf, shared: map[sharing]int32{}}
}

// reset begins a generation.
func (s *streams) reset() {
	clear(s.shared)
	clear(s.all)
	s.all, s.bySource = s.all[:0], s.bySource[:0]
}

// add finds the log stream of the next source.
func (s *streams) add(source *event.Source) {
	i := int32(len(s.all))
	name := source.LogStream()
	if s.nameOf != nil && source.Stream == "" {
		name = s.nameOf(source.Listener, source.Address)
		key := sharing{source.Listener, source.Format, source.Port, name}
		if known, ok := s.shared[key]; ok {
			s.bySource = append(s.bySource, known)
			return
		}
		s.shared[key] = i
	}
	s.bySource = append(s.bySource, i)
	s.all = append(s.all, stream{name: name, first: -1, last: -1})
}

// of is the log stream of a source, by its index. It is valid until the next
// add.
func (s *streams) of(source int32) *stream { return &s.all[s.bySource[source]] }
