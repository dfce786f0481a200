// Package upload sends records from the spool to a Firehose stream with
// PutRecordBatch, oldest first. It is the only stage that imports the AWS SDK.
//
// Invariants:
//
//   - Every record that is taken from the queue is in the end given to exactly
//     one of Delivered, DeadLetter and Return, also when the relay stops.
//   - A record is sent again byte for byte, and only if Firehose did not say
//     that it has it.
//   - Nothing that AWS answers, or does not answer, ends Run. A fault of the
//     configuration keeps everything where it is; only a record that is refused
//     alone is set aside.
//   - Memory is bounded: calls in flight times 4 MiB of records, each about 2.4
//     times more while the SDK holds its JSON body.
//
// Three things decide when the next call goes. The gate opens step by step
// after a start and after trouble, and holds calls back while there is trouble.
// The pacer limits bytes per second to what a throttled stream takes. The doubt
// keeps a wrongly set up stream from turning everything into dead letters.
package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

// Limits of PutRecordBatch, before base64. They cannot be raised.
const (
	maxCallRecords = 500
	maxCallBytes   = 4 << 20
	maxRecordBytes = 1000 << 10
)

// Queue is where records wait. The spool implements it.
type Queue interface {
	// Take waits until there are records and returns the oldest: at least one,
	// further ones as long as there are no more than maxRecords and maxBytes.
	// They are not given out again until they are returned. It returns nothing
	// and no error once the queue is closed and empty, ctx's error when ctx
	// ends first. It is not called by two goroutines at the same time; the
	// other methods are.
	Take(ctx context.Context, maxRecords, maxBytes int) ([]event.Stored, error)
	// Delivered says that Firehose has the records. After an error they may be
	// offered again by a later process, never by this one.
	Delivered(recs []event.Stored) error
	// Return gives records back, to be offered again in their old place.
	Return(recs []event.Stored)
	// DeadLetter sets a record aside for good, durably. After an error the
	// record is still taken.
	DeadLetter(rec event.Stored, reason string) error
}

// Client is the one call that the relay needs. *AWSClient and
// *firehose.Client implement it. It must not retry by itself.
type Client interface {
	PutRecordBatch(ctx context.Context, in *firehose.PutRecordBatchInput, optFns ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

// Options is what New needs. Stream, Queue, Client, Logger and Registerer are
// required.
type Options struct {
	Stream     string
	Queue      Queue
	Client     Client
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// Region tells log lines where the stream is; it may be nil, or answer ""
	// as long as it does not know.
	Region func() string
	// Waiting tells log lines how much waits in the queue; it may be nil.
	Waiting func() (records int, bytes int64)
	// CallsInFlight is how many calls are made at the same time; 0 means 4.
	CallsInFlight int
	// CallTimeout ends a call that takes too long; 0 means 60 s.
	CallTimeout time.Duration
	// Grace is how long calls in flight may go on when Run or Drain is told to
	// end; 0 means 5 s. A call that is cut off may have been taken by Firehose,
	// and its records come twice.
	Grace time.Duration
}

// Uploader takes records from a queue and sends them. Run and Drain exclude
// each other: the second waits until the first has returned. State may be
// called at any time.
type Uploader struct {
	opt     Options
	metrics *metrics
	gate    *gate
	pace    *pacer
	doubt   *doubt
	trouble *trouble
	busy    chan struct{}
}

// New checks the options and registers the metrics. It contacts nobody.
func New(o Options) (*Uploader, error) {
	if o.Stream == "" {
		return nil, errors.New("no delivery stream is named")
	}
	if o.Queue == nil || o.Client == nil || o.Logger == nil || o.Registerer == nil {
		return nil, errors.New("uploader needs a queue, a client, a logger and a registerer")
	}
	if o.CallsInFlight < 0 || o.CallTimeout < 0 || o.Grace < 0 {
		return nil, fmt.Errorf("calls in flight %d, call timeout %v and grace %v must not be negative", o.CallsInFlight, o.CallTimeout, o.Grace)
	}
	if o.CallsInFlight == 0 {
		o.CallsInFlight = 4
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 60 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	u := &Uploader{
		opt:   o,
		gate:  newGate(o.CallsInFlight, o.CallTimeout),
		pace:  newPacer(o.CallsInFlight),
		doubt: &doubt{limit: 20},
		busy:  make(chan struct{}, 1),
	}
	u.trouble = newTrouble(o)
	m, err := newMetrics(o.Registerer, u)
	if err != nil {
		return nil, fmt.Errorf("register upload metrics: %w", err)
	}
	u.metrics = m
	return u, nil
}

// Run sends whatever is in the queue until ctx is done, or until the queue is
// closed and empty. Calls that are in flight then get the grace; Run returns
// when the last of them is settled. It returns nil in both cases.
func (u *Uploader) Run(ctx context.Context) error {
	if err := u.pump(ctx, false); !errors.Is(err, ctx.Err()) {
		return err
	}
	return nil
}

// Drain sends what is in the queue and returns nil when nothing is left there.
// It begins with a call at once, whatever back-off Run was in. It returns an
// error that wraps ctx's when ctx is done first: what is left stays in the
// queue.
func (u *Uploader) Drain(ctx context.Context) error {
	if err := u.pump(ctx, true); err != nil {
		return fmt.Errorf("upload to %s what is left in the spool: %w", u.opt.Stream, err)
	}
	return nil
}

// emptyAfter is how long a queue gives nothing before Drain believes that it
// is empty.
const emptyAfter = 100 * time.Millisecond

// pump starts calls one after the other, from one goroutine, so that records
// go oldest first and the gate needs no queue of its own.
func (u *Uploader) pump(ctx context.Context, drain bool) error {
	select {
	case u.busy <- struct{}{}:
		defer func() { <-u.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if drain {
		u.gate.hurry()
	}
	calls, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var inFlight sync.WaitGroup
	defer u.settle(&inFlight, cut)

	for {
		room, err := u.admit(ctx)
		if err != nil {
			return err
		}
		idle := u.gate.idle()
		recs, err := u.take(ctx, room, drain)
		switch {
		case len(recs) > 0:
			u.start(calls, &inFlight, recs)
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (!drain || !errors.Is(err, context.DeadlineExceeded)):
			u.trouble.queueFailed("take records", err)
			u.gate.await(ctx, time.Second)
		case idle:
			return nil // closed and empty, or, when draining, empty for a while
		default:
			u.gate.await(ctx, emptyAfter) // what is in flight may come back
		}
	}
}

func (u *Uploader) take(ctx context.Context, room int, drain bool) ([]event.Stored, error) {
	if drain {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, emptyAfter)
		defer cancel()
	}
	return u.opt.Queue.Take(ctx, maxCallRecords, room)
}

// admit waits until a call may go, and tells how many bytes it may have.
func (u *Uploader) admit(ctx context.Context) (int, error) {
	for ctx.Err() == nil {
		room, wait := u.room(time.Now())
		if room > 0 {
			return room, nil
		}
		u.gate.await(ctx, wait)
	}
	return 0, ctx.Err()
}

// room is what gate and pacer allow now: so many bytes, or none for so long.
func (u *Uploader) room(now time.Time) (bytes int, wait time.Duration) {
	bytes, wait = u.gate.room(now)
	if bytes == 0 {
		return 0, wait
	}
	share, wait := u.pace.share(now)
	return min(bytes, share), wait
}

// start sends records in a goroutine of their own, unless what is known of the
// stream has changed while Take waited for them.
func (u *Uploader) start(ctx context.Context, inFlight *sync.WaitGroup, recs []event.Stored) {
	room, _ := u.room(time.Now())
	if room == 0 {
		u.opt.Queue.Return(recs)
		return
	}
	if n := fitting(recs, room); n < len(recs) {
		u.opt.Queue.Return(recs[n:])
		recs = recs[:n]
	}
	bytes := 0
	for _, r := range recs {
		bytes += len(r.Data)
	}
	pass := u.gate.enter(bytes)
	pass.round = u.pace.charge(time.Now(), bytes)
	inFlight.Go(func() {
		defer u.gate.leave(pass)
		u.send(ctx, pass, recs)
	})
}

// fitting is how many of recs, at least one, have no more than room bytes.
func fitting(recs []event.Stored, room int) int {
	for i, r := range recs {
		if room -= len(r.Data); room < 0 {
			return max(i, 1)
		}
	}
	return len(recs)
}

// settle lets calls in flight end, for as long as the grace lasts.
func (u *Uploader) settle(inFlight *sync.WaitGroup, cut context.CancelFunc) {
	late := time.AfterFunc(u.opt.Grace, cut)
	defer late.Stop()
	inFlight.Wait()
}
