// Package batch makes records of messages: one open document for each source,
// closed when it is full or when the generation ends. It reads the header of
// each message for its time, and gives a header to those that have none.
//
// The work is the same for a generation that has just been closed and for one
// that a crash left behind, so that a message has the same event id, the same
// place and the same text however often it is made into a record.
package batch

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
)

// Generation is what a Converter reads: the whole blocks of a journal file.
type Generation interface {
	// Number, Relay and Shard go into the event ids.
	Number() uint64
	Relay() uint64
	Shard() int
}

// Contents are a generation's blocks.
type Contents interface {
	// Blocks yields every block with an offset that At takes.
	Blocks() iter.Seq2[int, event.Block]
	At(offset int) event.Block
}

// Output takes finished records. A record's Data is valid only during the call.
type Output interface {
	Append(event.Record) error
}

// Options say what records look like.
type Options struct {
	GroupPrefix string        // first part of log groups: "/kinesyslog"
	Owner       func() string // the account id, or what stands for it
	Level       int           // of gzip, 1 to 9
	Rules       Rules
	Registerer  prometheus.Registerer
}

// Maker makes Converters that share their settings and metrics.
type Maker struct {
	options  Options
	metrics  *metrics
	evidence *evidence
}

// NewMaker checks the options.
func NewMaker(o Options) (*Maker, error) {
	if o.Level < 1 || o.Level > 9 {
		return nil, fmt.Errorf("gzip level %d is not between 1 and 9", o.Level)
	}
	return &Maker{options: o, metrics: newMetrics(o.Registerer), evidence: newEvidence(o.Registerer)}, nil
}

// Samples returns the last few messages that were not understood, by reason, the
// latest first. They must not be changed. It may be called at any time.
func (m *Maker) Samples() []Sample { return m.evidence.list() }

// Converter turns generations into records, one at a time. It holds about
// 1.5 MiB, mostly the compressor's, and memory in proportion to the number of
// blocks and sources of a generation. Not for concurrent use: make one for each
// worker.
type Converter struct {
	options  Options
	metrics  *metrics
	evidence *evidence
	builder  *cwl.Builder
	reader   *Reader

	sources []grouped
	index   map[string]int32 // by Source.Key
	blocks  []chained
	hosts   hosts // with Rules.ByHost

	stream   string // of the document at hand, as group and owner
	group    string
	owner    string
	document tally // of the document at hand
	findings findings
	budget   int // bytes until the processor is offered to others
}

// grouped is a source with the chain of its blocks.
type grouped struct {
	source      *event.Source
	first, last int32
}

// chained is a block's offset and the next block of the same source, -1 for none.
type chained struct {
	offset uint32
	next   int32
}

// tally counts the messages of a document.
type tally struct {
	events int
	raw    int64
}

// offerEvery is how many bytes are worked on between two offers of the
// processor to other goroutines: well under a millisecond's work, so that the
// readers of sockets need not wait for the scheduler's own 10 ms.
const offerEvery = 32 << 10

// New returns a Converter.
func (m *Maker) New() (*Converter, error) {
	b, err := cwl.NewBuilder(m.options.Level)
	if err != nil {
		return nil, err
	}
	return &Converter{
		options: m.options, metrics: m.metrics, evidence: m.evidence, builder: b,
		reader: NewReader(m.options.Rules), index: map[string]int32{}, hosts: hosts{most: maxPlaced, index: map[string]int32{}},
	}, nil
}

// ErrSource says that a block bears a source that cannot be read, although its
// checksum is right: it was written by another version.
var ErrSource = errors.New("block of an unknown form")

// Convert gives every message of a generation to out, grouped by source, in the
// order of their arrival. The owner is asked for once. After an error the
// records that were given out must not be used.
//
// What was not understood is published by Publish, once the records are safe:
// a generation may be converted several times.
func (c *Converter) Convert(g Generation, contents Contents, out Output) error {
	c.findings.reset()
	c.hosts.reset()
	if err := c.chain(contents); err != nil {
		return err
	}
	id := cwl.NewID(g.Number(), g.Relay(), g.Shard())
	c.owner = c.options.Owner()
	for i := range c.sources {
		if err := c.convertSource(&c.sources[i], &id, contents, out); err != nil {
			return err
		}
	}
	return nil
}

// Publish adds what was not understood of the generation that was converted last
// to the metrics and the samples.
func (c *Converter) Publish() {
	c.evidence.add(&c.findings)
	c.findings.reset()
	c.metrics.unnamed.Add(float64(c.hosts.unnamed))
	c.hosts.reset()
}

// chain chains the blocks of each source.
func (c *Converter) chain(contents Contents) error {
	clear(c.index)
	clear(c.sources)
	c.sources, c.blocks = c.sources[:0], c.blocks[:0]
	for offset, b := range contents.Blocks() {
		if int64(offset) > math.MaxUint32 || len(c.blocks) == math.MaxInt32 {
			return fmt.Errorf("a generation of more than %d bytes or blocks", uint32(math.MaxUint32))
		}
		at := int32(len(c.blocks))
		c.blocks = append(c.blocks, chained{offset: uint32(offset), next: -1})
		if i, ok := c.index[string(b.Source)]; ok {
			s := &c.sources[i]
			c.blocks[s.last].next = at
			s.last = at
			continue
		}
		source, err := event.ParseSource(string(b.Source))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSource, err)
		}
		c.index[source.Key()] = int32(len(c.sources))
		c.sources = append(c.sources, grouped{source: source, first: at, last: at})
	}
	return nil
}

// convertSource makes the documents of one source.
func (c *Converter) convertSource(s *grouped, id *cwl.ID, contents Contents, out Output) error {
	c.group = c.options.GroupPrefix + "/" + s.source.Format + "/" + s.source.Port
	c.reader.From(s.source)
	c.findings.begin()
	if c.options.Rules.ByHost {
		return c.convertByHost(s, id, contents, out)
	}
	c.open(s.source.LogStream())
	for at := s.first; at >= 0; at = c.blocks[at].next {
		b := contents.At(int(c.blocks[at].offset))
		for seq, text := range b.All() {
			id.Set(seq)
			if err := c.add(s.source, id, b.Received, text, out); err != nil {
				return err
			}
		}
	}
	return c.close(s.source, out)
}

// open begins a document.
func (c *Converter) open(stream string) {
	c.stream = stream
	c.builder.Open(c.owner, c.group, stream)
}

// add puts a message into the document at hand, or into the next one if that is
// full.
func (c *Converter) add(s *event.Source, id *cwl.ID, received int64, text []byte, out Output) error {
	at, header, why := c.reader.Read(received, text)
	if why != 0 {
		c.findings.note(why, s, received, text)
	}
	stamp := at / 1000
	if !c.builder.Add(id, stamp, header, text) {
		if err := c.close(s, out); err != nil {
			return err
		}
		c.open(c.stream)
		if !c.builder.Add(id, stamp, header, text) {
			return fmt.Errorf("a message of %d bytes does not fit a record", len(text))
		}
	}
	c.document.events++
	c.document.raw += int64(len(text))
	c.offer(len(text))
	return nil
}

// close hands the document at hand on.
func (c *Converter) close(s *event.Source, out Output) error {
	data, err := c.builder.Close()
	if err != nil {
		return fmt.Errorf("compress a record: %w", err)
	}
	r := event.Record{Listener: s.Listener, Events: c.document.events, RawBytes: c.document.raw, Data: data}
	c.document = tally{}
	if r.Events == 0 {
		return nil // a document of no events would be refused
	}
	c.metrics.record(r)
	return out.Append(r)
}

// offer lets other goroutines run now and then.
func (c *Converter) offer(bytes int) {
	if c.budget -= bytes; c.budget < 0 {
		c.budget = offerEvery
		runtime.Gosched()
	}
}
