package upload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"kinesyslog/internal/event"
)

// send settles records that were taken: on return each of them is delivered,
// a dead letter, or returned.
func (u *Uploader) send(ctx context.Context, p pass, recs []event.Stored) {
	fit := recs[:0:0]
	for _, r := range recs {
		if n := len(r.Data); n == 0 || n > maxRecordBytes {
			u.deadLetter(p, r, fmt.Sprintf("record has %d bytes, Firehose takes 1 to %d", n, maxRecordBytes))
			continue
		}
		fit = append(fit, r)
	}
	if len(fit) == 0 {
		return
	}
	if u.doubt.stream() {
		u.sample(ctx, p, fit)
		return
	}
	u.deliver(ctx, p, fit)
}

// sample sends one record of many, while the stream is doubted: if it is taken
// the stream is well, and the records refused before were to blame. Which one
// is left to chance, as the oldest may be poison.
func (u *Uploader) sample(ctx context.Context, p pass, recs []event.Stored) {
	i := rand.IntN(len(recs))
	u.deliver(ctx, p, recs[i:i+1:i+1])
	if rest := slices.Delete(slices.Clone(recs), i, i+1); len(rest) > 0 {
		u.opt.Queue.Return(rest)
	}
}

// deliver makes one call, and further ones for parts of it where a record is
// refused for what it is. It reports whether there is any sense in going on.
func (u *Uploader) deliver(ctx context.Context, p pass, recs []event.Stored) (goOn bool) {
	s, o, err := u.put(ctx, recs)
	o.round = p.round
	if err == nil {
		return u.accept(p, o, s)
	}
	f := classify(ctx, err)
	if f.class == poisoned {
		return u.divide(ctx, p, f, recs)
	}
	u.metrics.failedCall(f, len(recs))
	if f.class == cancelled {
		u.opt.Queue.Return(recs)
		return false
	}
	if f.class == throttled {
		o.refused, o.refusedBytes = o.records, o.bytes
		u.pace.settle(time.Now(), o)
	}
	u.failed(p, f, recs)
	return false
}

// failed gives back the records of a call that did not succeed. The gate closes
// first: the next call may be waiting for nothing but records.
func (u *Uploader) failed(p pass, f fault, recs []event.Stored) {
	now := time.Now()
	row := u.gate.failed(p, f, now)
	u.opt.Queue.Return(recs)
	u.trouble.failed(now, f, row)
}

// put makes one call and sorts its answer.
func (u *Uploader) put(ctx context.Context, recs []event.Stored) (s sorted, o outcome, err error) {
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: aws.String(u.opt.Stream), Records: make([]types.Record, len(recs))}
	o.records = len(recs)
	for i, r := range recs {
		in.Records[i].Data = r.Data
		o.bytes += len(r.Data)
	}
	start := time.Now()
	timed, cancel := context.WithTimeout(ctx, u.opt.CallTimeout)
	defer cancel()
	out, err := u.opt.Client.PutRecordBatch(timed, in)
	o.took = time.Since(start)
	u.metrics.seconds.Observe(o.took.Seconds())
	if err != nil {
		return s, o, err
	}
	s, err = sortAnswer(recs, out)
	for _, r := range s.refused {
		o.refused++
		o.refusedBytes += len(r.Data)
	}
	return s, o, err
}

// accept settles a call that Firehose answered record by record, and reports
// whether it took any of them.
func (u *Uploader) accept(p pass, o outcome, s sorted) bool {
	now := time.Now()
	alive := u.pace.settle(now, o)
	u.metrics.answered(s)
	if len(s.accepted) == 0 {
		if alive { // the pacer has seen to it
			u.opt.Queue.Return(s.refused)
			return false
		}
		u.failed(p, fault{
			class: throttled, reason: s.reason(), code: s.code,
			err: fmt.Errorf("all %d records of a call were refused: %s: %s", o.records, s.code, s.message),
		}, s.refused)
		return false
	}
	u.doubt.accepted()
	u.gate.succeeded(o.took, len(s.refused) == 0)
	if err := u.opt.Queue.Delivered(s.accepted); err != nil {
		u.trouble.queueFailed("note in the spool what was delivered, so that it may be sent twice", err)
	}
	u.trouble.succeeded(now)
	if len(s.refused) > 0 {
		u.opt.Queue.Return(s.refused)
		u.trouble.partly(now, s, u.pace.limit())
	}
	return true
}

// divide finds the records of a call that are to blame for its refusal.
func (u *Uploader) divide(ctx context.Context, p pass, f fault, recs []event.Stored) (goOn bool) {
	u.metrics.refusedCall()
	if len(recs) == 1 {
		return u.condemn(p, f, recs[0])
	}
	half := len(recs) / 2
	if !u.deliver(ctx, p, recs[:half]) {
		u.opt.Queue.Return(recs[half:])
		return false
	}
	return u.deliver(ctx, p, recs[half:])
}

// condemn sets a record aside that was refused alone, unless so many were
// that the stream is more likely to blame.
func (u *Uploader) condemn(p pass, f fault, rec event.Stored) (goOn bool) {
	if u.doubt.refused() {
		u.deadLetter(p, rec, errorText(f))
		return true
	}
	f.class = misconfigured
	u.metrics.kept(f, 1)
	u.failed(p, f, []event.Stored{rec})
	return false
}

// deadLetter sets a record aside. Where the spool cannot, the record stays in
// the queue and comes again after a pause.
func (u *Uploader) deadLetter(p pass, rec event.Stored, reason string) {
	if err := u.opt.Queue.DeadLetter(rec, reason); err != nil {
		u.gate.failed(p, fault{class: misconfigured, reason: reasonInvalid}, time.Now())
		u.opt.Queue.Return([]event.Stored{rec})
		u.trouble.queueFailed("set a refused record aside", err)
		return
	}
	u.metrics.deadLetters.Inc()
	u.trouble.condemned(rec, reason)
}

// errorText is what a dead letter keeps of an error.
func errorText(f fault) string {
	var api interface{ ErrorMessage() string }
	if f.code != "" && errors.As(f.err, &api) {
		return f.code + ": " + api.ErrorMessage()
	}
	return f.err.Error()
}
