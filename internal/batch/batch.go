// Package batch makes records of messages: one open document for each source, or
// for each log stream that sources share (Rules.StreamOf), closed when it is
// full or when the generation ends. It reads the header of each message for its
// time, and gives a header to those that have none.
//
// The work is the same for a generation that has just been closed and for one
// that a crash left behind, so that a message has the same event id, the same
// place and the same text however often it is made into a record.
package batch

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
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
	// Levels, if it is not nil, is asked for the level of each record in place
	// of Level, by all Converters at the same time.
	Levels     func() int
	Rules      Rules
	Logger     *slog.Logger // nil: nothing is logged
	Registerer prometheus.Registerer
}

// Maker makes Converters that share their settings and metrics.
type Maker struct {
	options  Options
	metrics  *metrics
	evidence *evidence
	hostsLog *hostsLog
}

// NewMaker checks the options.
func NewMaker(o Options) (*Maker, error) {
	if o.Level < 1 || o.Level > 9 {
		return nil, fmt.Errorf("gzip level %d is not between 1 and 9", o.Level)
	}
	return &Maker{options: o, metrics: newMetrics(o.Registerer), evidence: newEvidence(o.Registerer), hostsLog: &hostsLog{log: o.Logger}}, nil
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
	hostsLog *hostsLog
	builder  *cwl.Builder
	reader   *Reader

	sources []*event.Source
	index   map[string]int32 // in sources, by Source.Key
	streams streams
	blocks  []chained
	hosts   hosts // with Rules.ByHost

	stream   string // of the document at hand, as group and owner
	group    string
	owner    string
	document tally // of the document at hand
	findings findings
	budget   int // bytes until the processor is offered to others
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
		options: m.options, metrics: m.metrics, evidence: m.evidence, hostsLog: m.hostsLog, builder: b,
		reader: NewReader(m.options.Rules), index: map[string]int32{}, streams: newStreams(m.options.Rules.StreamOf), hosts: hosts{most: maxPlaced, index: map[string]int32{}},
	}, nil
}

// ErrSource says that a block bears a source that cannot be read, although its
// checksum is right: it was written by another version.
var ErrSource = errors.New("block of an unknown form")

// Convert gives every message of a generation to out, grouped by source or by
// the log stream that sources share, in the order of their arrival. The owner is
// asked for once. After an error the records that were given out must not be
// used.
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
	for i := range c.streams.all {
		if err := c.convertStream(&c.streams.all[i], &id, contents, out); err != nil {
			return err
		}
	}
	return nil
}

// Publish adds what was not understood of the generation that was converted last
// to the metrics and the samples, and logs if it named too many hosts.
func (c *Converter) Publish() {
	c.evidence.add(&c.findings)
	c.findings.reset()
	c.metrics.unnamed.Add(float64(c.hosts.unnamed))
	c.hostsLog.tell(&c.hosts)
	c.hosts.reset()
}

// convertStream makes the documents of one log stream.
func (c *Converter) convertStream(s *stream, id *cwl.ID, contents Contents, out Output) error {
	at := c.blocks[s.first].source
	source := c.sources[at]
	c.group = c.options.GroupPrefix + "/" + source.Format + "/" + source.Port
	c.reader.From(source)
	c.findings.begin()
	if c.options.Rules.ByHost && source.Stream == "" {
		return c.convertByHost(s, source, id, contents, out)
	}
	if err := c.open(s.name); err != nil {
		return err
	}
	for next := s.first; next >= 0; next = c.blocks[next].next {
		if of := c.blocks[next].source; of != at {
			at, source = of, c.sources[of]
			c.reader.From(source)
		}
		b := contents.At(int(c.blocks[next].offset))
		for seq, text := range b.All() {
			id.Set(seq)
			if err := c.add(source, id, b.Received, text, out); err != nil {
				return err
			}
		}
	}
	return c.close(source, out)
}

// open begins a document.
func (c *Converter) open(stream string) error {
	if c.options.Levels != nil {
		if err := c.builder.SetLevel(c.options.Levels()); err != nil {
			return err
		}
	}
	c.stream = stream
	c.builder.Open(c.owner, c.group, stream)
	return nil
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
		if err := c.open(c.stream); err != nil {
			return err
		}
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
	c.metrics.record(r, c.builder.Level())
	return out.Append(r)
}

// offer lets other goroutines run now and then.
func (c *Converter) offer(bytes int) {
	if c.budget -= bytes; c.budget < 0 {
		c.budget = offerEvery
		runtime.Gosched()
	}
}
