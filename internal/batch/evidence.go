package batch

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

const (
	// samplesKept is how many samples are kept of each reason, and sampleBytes how
	// much of each.
	samplesKept = 5
	sampleBytes = 512
)

// Sample is a message that was not understood.
type Sample struct {
	Reason   string
	Source   *event.Source
	Received int64  // microseconds since 1970
	Text     []byte // the first 512 bytes of it
	Bytes    int    // how many there are in all
}

// evidence keeps what Converters could not understand.
type evidence struct {
	counters [len(reasonNames)]prometheus.Counter // nil where there is no such reason

	mu      sync.Mutex
	samples [len(reasonNames)][]Sample // the latest last
}

func newEvidence(r prometheus.Registerer) *evidence {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kinesyslog_messages_not_understood_total",
		Help: "Messages of which something was not understood, by reason; they are delivered as they came. A message may have several reasons.",
	}, []string{"reason"})
	r.MustRegister(counters)
	e := new(evidence)
	for i, name := range reasonNames {
		if name != "" {
			e.counters[i] = counters.WithLabelValues(name)
		}
	}
	return e
}

// list returns copies of the samples that nobody changes, the latest first of
// each reason.
func (e *evidence) list() []Sample {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Sample
	for _, of := range e.samples {
		for _, s := range slices.Backward(of) {
			all = append(all, s)
		}
	}
	return all
}

// findings are what was not understood of one generation. Noting it allocates
// nothing once the buffers have been made, and copies little: of each source
// one message for each reason, and more only as long as there are few.
type findings struct {
	counts  [len(reasonNames)]uint64
	samples [len(reasonNames)][]Sample
	next    [len(reasonNames)]int // where the next sample goes
	sampled Reasons               // of the source at hand
}

// reset forgets all but the buffers.
func (f *findings) reset() {
	clear(f.counts[:])
	clear(f.next[:])
}

// begin is called for each source.
func (f *findings) begin() { f.sampled = 0 }

// note counts a message by its reasons and may keep it as a sample.
func (f *findings) note(why Reasons, src *event.Source, received int64, text []byte) {
	for rest := why; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros16(uint16(rest))
		f.counts[i]++
		if f.sampled&(1<<i) != 0 && f.next[i] >= samplesKept {
			continue
		}
		f.sampled |= 1 << i
		if f.samples[i] == nil {
			f.samples[i] = make([]Sample, samplesKept)
		}
		s := &f.samples[i][f.next[i]%samplesKept]
		f.next[i]++
		s.Reason, s.Source, s.Received, s.Bytes = reasonNames[i], src, received, len(text)
		s.Text = append(s.Text[:0], text[:min(len(text), sampleBytes)]...)
	}
}

// add takes over a generation's findings.
func (e *evidence) add(f *findings) {
	for i, n := range f.counts {
		if n > 0 {
			e.counters[i].Add(float64(n))
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range f.samples {
		n := min(f.next[i], samplesKept)
		for k := f.next[i] - n; k < f.next[i]; k++ {
			s := f.samples[i][k%samplesKept]
			s.Text = slices.Clone(s.Text)
			e.samples[i] = append(e.samples[i], s)
		}
		if extra := len(e.samples[i]) - samplesKept; extra > 0 {
			e.samples[i] = slices.Delete(e.samples[i], 0, extra)
		}
	}
}
