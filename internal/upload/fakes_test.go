package upload

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

// fakeQueue is a spool in memory that notes what became of every record, and
// fails the test where the contract is broken.
type fakeQueue struct {
	t  *testing.T
	mu sync.Mutex
	// offered holds indexes of records, oldest first.
	offered   []int
	records   []event.Record
	fate      []string
	taken     map[int]bool
	closed    bool
	changed   chan struct{}
	takes     int
	bytes     int
	broken    error // Delivered and DeadLetter fail with it
	reasons   []string
	delivered int64
}

func newQueue(t *testing.T) *fakeQueue {
	return &fakeQueue{t: t, taken: map[int]bool{}, changed: make(chan struct{})}
}

func (q *fakeQueue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *fakeQueue) add(data ...[]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range data {
		q.offered = append(q.offered, len(q.records))
		q.records = append(q.records, event.Record{Listener: "tcp/514", Events: 1, RawBytes: int64(5 * len(d)), Data: d})
		q.fate = append(q.fate, "")
		q.bytes += len(d)
	}
	q.wake()
}

func (q *fakeQueue) Take(ctx context.Context, maxRecords, maxBytes int) ([]event.Stored, error) {
	for {
		q.mu.Lock()
		if len(q.offered) > 0 {
			var out []event.Stored
			for len(q.offered) > 0 && len(out) < maxRecords {
				i := q.offered[0]
				if maxBytes -= len(q.records[i].Data); maxBytes < 0 && len(out) > 0 {
					break
				}
				q.offered = q.offered[1:]
				q.taken[i] = true
				q.bytes -= len(q.records[i].Data)
				out = append(out, event.Stored{File: "f", Index: i, Record: q.records[i]})
			}
			q.takes++
			q.mu.Unlock()
			return out, nil
		}
		if q.closed {
			q.mu.Unlock()
			return nil, nil
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *fakeQueue) end(rec event.Stored, fate string) {
	if !q.taken[rec.Index] {
		q.t.Errorf("record %d is %s, but was not taken", rec.Index, fate)
	}
	if !bytes.Equal(rec.Data, q.records[rec.Index].Data) {
		q.t.Errorf("record %d came back altered", rec.Index)
	}
	delete(q.taken, rec.Index)
	q.fate[rec.Index] = fate
}

func (q *fakeQueue) Delivered(recs []event.Stored) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range recs {
		q.end(r, "delivered")
		q.delivered += int64(len(r.Data))
	}
	return q.broken
}

func (q *fakeQueue) Return(recs []event.Stored) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range recs {
		q.end(r, "")
		q.offered = append(q.offered, r.Index)
		q.bytes += len(r.Data)
	}
	slices.Sort(q.offered)
	q.wake()
}

func (q *fakeQueue) DeadLetter(rec event.Stored, reason string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken != nil {
		return q.broken
	}
	q.end(rec, "dead")
	q.reasons = append(q.reasons, reason)
	return nil
}

// fates counts records by what became of them; nothing may be on the way.
func (q *fakeQueue) fates() map[string]int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.taken) > 0 {
		q.t.Errorf("%d records were taken and not settled", len(q.taken))
	}
	out := map[string]int{}
	for _, f := range q.fate {
		out[f]++
	}
	return out
}

func (q *fakeQueue) waiting() (int, int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.offered), int64(q.bytes)
}

// fakeStream is a delivery stream with faults. All fields but the counters are
// set before use, or under mu.
type fakeStream struct {
	mu      sync.Mutex
	latency time.Duration
	rate    float64 // bytes a second taken, 0 for no limit
	depth   float64 // bytes of the bucket
	level   float64
	filled  time.Time
	lossy   float64 // share of records refused by chance
	flaky   float64 // share of calls refused by chance
	// answer, if set, replaces everything else.
	answer func(ctx context.Context, call int, in *firehose.PutRecordBatchInput) (*firehose.PutRecordBatchOutput, error)

	dice                  *rand.Rand
	times                 []time.Time
	sizes                 []int
	records, refused      int
	bytes, refusedBytes   int64
	inFlight, maxInFlight int
	first                 []byte // of the data of the last call
}

func (s *fakeStream) PutRecordBatch(ctx context.Context, in *firehose.PutRecordBatchInput, _ ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error) {
	s.mu.Lock()
	if s.dice == nil {
		s.dice = rand.New(rand.NewPCG(1, 2))
	}
	size := 0
	for _, r := range in.Records {
		size += len(r.Data)
	}
	call := len(s.times)
	s.times = append(s.times, time.Now())
	s.sizes = append(s.sizes, size)
	s.inFlight++
	s.maxInFlight = max(s.maxInFlight, s.inFlight)
	s.first = in.Records[0].Data
	answer, latency := s.answer, s.latency
	out, err := s.judge(in)
	s.mu.Unlock()

	if answer != nil {
		out, err = answer(ctx, call, in)
	}
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-ctx.Done():
			out, err = nil, ctx.Err()
		}
	}
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
	return out, err
}

func (s *fakeStream) judge(in *firehose.PutRecordBatchInput) (*firehose.PutRecordBatchOutput, error) {
	s.records += len(in.Records)
	if s.flaky > 0 && s.dice.Float64() < s.flaky {
		s.refused += len(in.Records)
		return nil, &types.ServiceUnavailableException{Message: aws.String("Slow down.")}
	}
	now := time.Now()
	if s.filled.IsZero() {
		s.level = s.depth
	} else {
		s.level = min(s.depth, s.level+s.rate*now.Sub(s.filled).Seconds())
	}
	s.filled = now
	refuse := make([]bool, len(in.Records))
	for i, r := range in.Records {
		n := float64(len(r.Data))
		if s.lossy > 0 && s.dice.Float64() < s.lossy || s.rate > 0 && s.level < n {
			refuse[i] = true
			s.refused++
			s.refusedBytes += int64(n)
			continue
		}
		s.level -= n
		s.bytes += int64(n)
	}
	return reply(refuse...), nil
}

func (s *fakeStream) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// reply is an answer that refuses some records.
func reply(refuse ...bool) *firehose.PutRecordBatchOutput {
	out := &firehose.PutRecordBatchOutput{FailedPutCount: aws.Int32(0)}
	for i, no := range refuse {
		e := types.PutRecordBatchResponseEntry{RecordId: aws.String(fmt.Sprint(i))}
		if no {
			*out.FailedPutCount++
			e = types.PutRecordBatchResponseEntry{ErrorCode: aws.String("ServiceUnavailableException"), ErrorMessage: aws.String("Slow down.")}
		}
		out.RequestResponses = append(out.RequestResponses, e)
	}
	return out
}

func newUploader(t *testing.T, q *fakeQueue, s Client, change ...func(*Options)) *Uploader {
	t.Helper()
	o := Options{
		Stream: "logs", Queue: q, Client: s, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Waiting: q.waiting,
	}
	for _, f := range change {
		f(&o)
	}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// gathered are all counters and gauges of a registry by name and label value.
func gathered(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}
