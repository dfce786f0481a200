package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

type (
	input  = firehose.PutRecordBatchInput
	output = firehose.PutRecordBatchOutput
)

// numbered are n different records of a size.
func numbered(n, size int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = bytes.Repeat([]byte{byte(i), byte(i >> 8)}, (size+1)/2)[:size]
	}
	return out
}

// drain uploads everything that is in the queue.
func drain(t *testing.T, u *Uploader) {
	t.Helper()
	if err := u.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantFates(t *testing.T, q *fakeQueue, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, q.fates()); diff != "" {
		t.Errorf("fates of records (-want +got):\n%s", diff)
	}
}

func allTaken(_ context.Context, _ int, in *input) (*output, error) {
	return reply(make([]bool, len(in.Records))...), nil
}

func TestCallsAreFullAndWithinTheLimits(t *testing.T) {
	for _, tt := range []struct{ records, size, calls int }{
		{5000, 100, 10},       // 500 a call
		{100, 1 << 20 / 2, 0}, // 8 a call, once the gate is open
		{40, maxRecordBytes, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeStream{latency: 50 * time.Millisecond}
			s.answer = func(ctx context.Context, call int, in *input) (*output, error) {
				size := 0
				for _, r := range in.Records {
					size += len(r.Data)
				}
				if len(in.Records) > 500 || size > 4<<20 || *in.DeliveryStreamName != "logs" {
					t.Errorf("call with %d records, %d bytes to %s", len(in.Records), size, *in.DeliveryStreamName)
				}
				return allTaken(ctx, call, in)
			}
			q := newQueue(t)
			q.add(numbered(tt.records, tt.size)...)
			u := newUploader(t, q, s)
			drain(t, u)
			wantFates(t, q, map[string]int{"delivered": tt.records})
			if tt.calls != 0 && len(s.times) != tt.calls {
				t.Errorf("%d calls, want %d", len(s.times), tt.calls)
			}
			if s.maxInFlight > 4 {
				t.Errorf("%d calls were in flight", s.maxInFlight)
			}
		})
	}
}

func TestSeveralCallsAreInFlightAndNoMoreThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{latency: time.Second}
		q := newQueue(t)
		q.add(numbered(400, 500_000)...)
		drain(t, newUploader(t, q, s, func(o *Options) { o.CallsInFlight = 3 }))
		wantFates(t, q, map[string]int{"delivered": 400})
		if s.maxInFlight != 3 {
			t.Errorf("%d calls were in flight at most, want 3", s.maxInFlight)
		}
	})
}

func TestRecordIsSentAsSoonAsThereIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		q := newQueue(t)
		stop := run(t, newUploader(t, q, s))
		time.Sleep(time.Hour)
		put := time.Now()
		q.add([]byte("one"))
		time.Sleep(time.Millisecond)
		stop()
		if len(s.times) != 1 || !s.times[0].Equal(put) {
			t.Errorf("put at %v, sent at %v", put, s.times)
		}
	})
}

func TestOnlyRefusedRecordsAreSentAgainByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		sent := map[string]int{}
		s.answer = func(_ context.Context, _ int, in *input) (*output, error) {
			refuse := make([]bool, len(in.Records))
			for i, r := range in.Records {
				sent[string(r.Data)]++
				// Every fourth record, until it has come three times.
				refuse[i] = r.Data[0]%4 == 0 && sent[string(r.Data)] < 3
			}
			return reply(refuse...), nil
		}
		q := newQueue(t)
		q.add(numbered(100, 50)...)
		drain(t, newUploader(t, q, s))
		wantFates(t, q, map[string]int{"delivered": 100})
		for i, d := range numbered(100, 50) {
			want := 1
			if i%4 == 0 {
				want = 3
			}
			if sent[string(d)] != want {
				t.Errorf("record %d was sent %d times, want %d", i, sent[string(d)], want)
			}
		}
	})
}

func TestOutageIsProbedWithOneCallAtATimeAndLongerAndLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{latency: 100 * time.Millisecond}
		q := newQueue(t)
		var log bytes.Buffer
		u := newUploader(t, q, s, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		stop := run(t, u)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go offer(ctx, q, 400_000, 20*mib, time.Second)
		time.Sleep(20 * time.Second)
		cancel()
		q.add(numbered(200, 400_000)...)
		s.set(func() {
			s.answer = func(ctx context.Context, _ int, _ *input) (*output, error) {
				return nil, &types.ServiceUnavailableException{}
			}
		})
		time.Sleep(time.Second)
		s.set(func() { s.times, s.sizes, s.maxInFlight = nil, nil, 0 })
		time.Sleep(time.Hour)
		s.set(func() {
			if n := len(s.times); n < 100 || n > 600 {
				t.Errorf("%d calls in an hour of outage", n)
			}
			if s.maxInFlight != 1 {
				t.Errorf("%d calls at a time during an outage", s.maxInFlight)
			}
			for i, size := range s.sizes {
				if size > probeBytes {
					t.Errorf("probe %d has %d bytes", i, size)
					break
				}
			}
			s.answer, s.maxInFlight = nil, 0
		})
		if st := u.State(); st.Ready || st.Reason == "" || st.Hint == "" || time.Since(st.LastSuccess) < time.Hour {
			t.Errorf("state after an hour of outage: %+v", st)
		}
		time.Sleep(2 * time.Minute)
		s.set(func() {
			if s.maxInFlight != 4 {
				t.Errorf("%d calls at a time after the outage, want 4 again", s.maxInFlight)
			}
		})
		if st := u.State(); !st.Ready || st.Reason != "" {
			t.Errorf("state after the outage: %+v", st)
		}
		stop()
		drain(t, u)
		wantFates(t, q, map[string]int{"delivered": len(q.records)})
		if n := strings.Count(log.String(), "cannot be reached"); n < 30 || n > 61 {
			t.Errorf("%d lines in an hour of outage, want about one a minute", n)
		}
		for _, want := range []string{"records_waiting=", "stream=logs", "hint=", "takes records again", "after=1h0m"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("log lacks %q", want)
			}
		}
	})
}

func TestOldestRecordsGoFirstAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		var order []byte
		down := true
		s.answer = func(_ context.Context, _ int, in *input) (*output, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if down {
				return nil, errors.New("down")
			}
			for _, r := range in.Records {
				order = append(order, r.Data[0])
			}
			return reply(make([]bool, len(in.Records))...), nil
		}
		q := newQueue(t)
		u := newUploader(t, q, s, func(o *Options) { o.CallsInFlight = 1 })
		stop := run(t, u)
		for _, d := range numbered(50, 10) {
			q.add(d)
			time.Sleep(time.Second)
		}
		s.set(func() { down = false })
		time.Sleep(time.Minute)
		stop()
		for i := range order {
			if int(order[i]) != i {
				t.Fatalf("delivered in the order %v", order)
			}
		}
		wantFates(t, q, map[string]int{"delivered": 50})
	})
}

func TestTimeoutsMakeCallsSmallerUntilTheyGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		// A way out that carries 20 KiB a second for each call: 1 MiB takes 51 s.
		s.answer = func(ctx context.Context, _ int, in *input) (*output, error) {
			size := 0
			for _, r := range in.Records {
				size += len(r.Data)
			}
			select {
			case <-time.After(time.Duration(size) * time.Second / (20 << 10)):
				return reply(make([]bool, len(in.Records))...), nil
			case <-ctx.Done():
				return nil, fmt.Errorf("send request: %w", ctx.Err())
			}
		}
		q := newQueue(t)
		q.add(numbered(2000, 20_000)...)
		registry := prometheus.NewRegistry()
		u := newUploader(t, q, s, func(o *Options) { o.Registerer = registry })
		drain(t, u)
		wantFates(t, q, map[string]int{"delivered": 2000})
		timeouts := gathered(t, registry)["kinesyslog_upload_retries_total timeout"]
		if calls := float64(len(s.times)); timeouts == 0 || timeouts > calls/5 {
			t.Errorf("%v of %v calls took too long", timeouts, calls)
		}
	})
}

func TestStoppingLetsCallsInFlightEndAndCutsOffThoseThatTakeTooLong(t *testing.T) {
	for _, tt := range []struct {
		latency, took time.Duration
		want          map[string]int
	}{
		{2 * time.Second, 2 * time.Second, map[string]int{"delivered": 3, "": 2}},
		{time.Minute, 5 * time.Second, map[string]int{"": 5}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeStream{latency: tt.latency}
			q := newQueue(t)
			q.add(numbered(5, 150_000)...) // 3 in the first call
			stop := run(t, newUploader(t, q, s))
			synctest.Wait()
			start := time.Now()
			stop()
			if took := time.Since(start); took != tt.took {
				t.Errorf("stopping took %v, want %v", took, tt.took)
			}
			wantFates(t, q, tt.want)
		})
	}
}

func TestDrainSaysWhatItCouldNotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{answer: func(context.Context, int, *input) (*output, error) { return nil, errors.New("down") }}
		q := newQueue(t)
		q.add(numbered(10, 10)...)
		u := newUploader(t, q, s)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := u.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain with Firehose down: %v", err)
		}
		wantFates(t, q, map[string]int{"": 10})
		s.set(func() { s.answer = nil })
		start := time.Now()
		drain(t, u)
		if took := time.Since(start); took > time.Second {
			t.Errorf("drain waited %v for the back-off of an outage that is over", took)
		}
		wantFates(t, q, map[string]int{"delivered": 10})
	})
}

func TestRunEndsWhenTheQueueIsClosedAndEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{latency: time.Second}
		s.answer = func(ctx context.Context, call int, in *input) (*output, error) {
			refuse := make([]bool, len(in.Records))
			refuse[0] = call == 0
			return reply(refuse...), nil
		}
		q := newQueue(t)
		q.add(numbered(3, 10)...)
		q.closed = true
		if err := newUploader(t, q, s).Run(t.Context()); err != nil {
			t.Error(err)
		}
		wantFates(t, q, map[string]int{"delivered": 3})
	})
}

// TestEveryRecordHasOneFateWhateverHappens is the stage's invariant under all
// faults at once; the queue fails the test where a record is settled twice,
// never, or altered.
func TestEveryRecordHasOneFateWhateverHappens(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			dice, faults := rand.New(rand.NewPCG(seed, 7)), rand.New(rand.NewPCG(seed, 8))
			s := &fakeStream{latency: time.Duration(dice.IntN(300)) * time.Millisecond}
			s.answer = func(ctx context.Context, _ int, in *input) (*output, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, r := range in.Records {
					if r.Data[0] == 13 {
						return nil, &types.InvalidArgumentException{Message: aws.String("unlucky")}
					}
				}
				refuse := make([]bool, len(in.Records))
				for i := range refuse {
					refuse[i] = faults.IntN(5) == 0
				}
				out := reply(refuse...)
				switch faults.IntN(12) {
				case 0:
					return nil, errors.New("connection reset")
				case 1:
					return nil, &types.ServiceUnavailableException{}
				case 2:
					return nil, &types.ResourceNotFoundException{}
				case 3:
					out.RequestResponses = out.RequestResponses[1:]
				case 4:
					return nil, nil
				}
				return out, nil
			}
			q := newQueue(t)
			u := newUploader(t, q, s)
			stop := run(t, u)
			n := 0
			for range 20 {
				q.add(numbered(30, 1+dice.IntN(50_000))...)
				n += 30
				time.Sleep(time.Duration(dice.IntN(3000)) * time.Millisecond)
			}
			stop()
			q.fates() // nothing is on the way
			drain(t, u)
			wantFates(t, q, map[string]int{"delivered": n - 20, "dead": 20})
		})
	}
}

func TestSpoolThatCannotBeReadIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		q.add(numbered(3, 10)...)
		u := newUploader(t, q, &fakeStream{}, func(o *Options) { o.Queue = &failingQueue{fakeQueue: q, failures: 5} })
		start := time.Now()
		drain(t, u)
		wantFates(t, q, map[string]int{"delivered": 3})
		if took := time.Since(start); took < 4*time.Second {
			t.Errorf("a spool that failed 5 times was asked 6 times within %v", took)
		}
	})
}

type failingQueue struct {
	*fakeQueue
	failures int
}

func (q *failingQueue) Take(ctx context.Context, maxRecords, maxBytes int) ([]event.Stored, error) {
	if q.failures--; q.failures >= 0 {
		return nil, errors.New("read spool: input/output error")
	}
	return q.fakeQueue.Take(ctx, maxRecords, maxBytes)
}

func TestRunAndDrainExcludeEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		u := newUploader(t, q, &fakeStream{})
		stop := run(t, u)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := u.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain beside run: %v", err)
		}
		stop()
		drain(t, u)
	})
}

func TestOptionsThatAreMissingOrWrongAreRefused(t *testing.T) {
	q := newQueue(t)
	for name, change := range map[string]func(*Options){
		"stream": func(o *Options) { o.Stream = "" }, "queue": func(o *Options) { o.Queue = nil }, "client": func(o *Options) { o.Client = nil },
		"logger": func(o *Options) { o.Logger = nil }, "registerer": func(o *Options) { o.Registerer = nil },
		"calls": func(o *Options) { o.CallsInFlight = -1 }, "grace": func(o *Options) { o.Grace = -1 },
		"registered twice": func(o *Options) {
			if _, err := New(*o); err != nil {
				t.Fatal(err)
			}
		},
	} {
		o := Options{Stream: "logs", Queue: q, Client: &fakeStream{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry()}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMetricsSayWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		s.answer = func(_ context.Context, call int, in *input) (*output, error) {
			switch call {
			case 0:
				return nil, &types.ServiceUnavailableException{}
			case 1:
				refuse := make([]bool, len(in.Records))
				refuse[1] = true
				return reply(refuse...), nil
			}
			return reply(make([]bool, len(in.Records))...), nil
		}
		q := newQueue(t)
		q.add(numbered(3, 6000)...)
		registry := prometheus.NewRegistry()
		drain(t, newUploader(t, q, s, func(o *Options) { o.Registerer = registry }))
		got := gathered(t, registry)
		maps.DeleteFunc(got, func(_ string, v float64) bool { return v == 0 })
		if last := got["kinesyslog_upload_last_success_timestamp_seconds"]; math.Abs(last-float64(time.Now().Unix())) > 1 {
			t.Errorf("last success at %v", last)
		}
		if limit := got["kinesyslog_upload_rate_limit_bytes_per_second"]; limit < firstFloor {
			t.Errorf("rate limit %v", limit)
		}
		delete(got, "kinesyslog_upload_rate_limit_bytes_per_second")
		delete(got, "kinesyslog_upload_last_success_timestamp_seconds")
		want := map[string]float64{
			"kinesyslog_upload_calls_total retry":       1,
			"kinesyslog_upload_calls_total partial":     1,
			"kinesyslog_upload_calls_total ok":          1,
			"kinesyslog_upload_records_total returned":  4,
			"kinesyslog_upload_records_total delivered": 3,
			"kinesyslog_upload_retries_total throttled": 2,
			"kinesyslog_upload_raw_bytes_total":         90000,
			"kinesyslog_upload_bytes_total":             18000,
			"kinesyslog_upload_billed_bytes_total":      30720,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	})
}
