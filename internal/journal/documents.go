package journal

import "kinesyslog/internal/event"

// maxSenders bounds the senders that are told apart in a generation. What more
// there are are taken for those that are known.
const maxSenders = 1 << 16

// documents counts what a generation will be made into at least: a document for
// each log stream. Guarded by the shard's mutex.
type documents struct {
	streamOf func(listener, address string) string // Options.StreamOf
	last     *event.Source
	senders  map[string]struct{}  // by Source.Key
	streams  map[sharing]struct{} // empty without streamOf
}

// sharing is what senders have in common that share a log stream.
type sharing struct{ listener, format, name string }

func newDocuments(streamOf func(listener, address string) string) *documents {
	return &documents{streamOf: streamOf, senders: map[string]struct{}{}, streams: map[sharing]struct{}{}}
}

// see notes whose block is written. It allocates only where a sender is new.
func (d *documents) see(s *event.Source) {
	if s == d.last {
		return
	}
	d.last = s
	if _, known := d.senders[s.Key()]; known || len(d.senders) >= maxSenders {
		return
	}
	d.senders[s.Key()] = struct{}{}
	if d.streamOf != nil {
		d.streams[sharing{s.Listener, s.Format, d.streamOf(s.Listener, s.Address)}] = struct{}{}
	}
}

// count is how many log streams there are.
func (d *documents) count() int {
	if d.streamOf != nil {
		return len(d.streams)
	}
	return len(d.senders)
}

// reset begins a generation.
func (d *documents) reset() {
	d.last = nil
	clear(d.senders)
	clear(d.streams)
}
