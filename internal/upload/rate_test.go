package upload

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

const mib = 1 << 20

// offer puts records of a size into the queue at a rate, in lots as generations
// of the journal make them.
func offer(ctx context.Context, q *fakeQueue, size int, rate float64, lot time.Duration) {
	data := make([]byte, size)
	owed := 0.0
	for ctx.Err() == nil {
		for owed += rate * lot.Seconds(); owed > 0; owed -= float64(size) {
			q.add(data)
		}
		select {
		case <-time.After(lot):
		case <-ctx.Done():
		}
	}
}

// run starts an uploader for the time of a test bubble.
func run(t *testing.T, u *Uploader) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- u.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestThrottledStreamIsUsedToNineTenthsAndRefusesFewRecords(t *testing.T) {
	tests := []struct {
		size          int
		depth         float64 // seconds that the stream's bucket holds
		latency       time.Duration
		used, refused float64
	}{
		{2_000, 1, 20 * time.Millisecond, 0.9, 0.05},
		{2_000, 1, 200 * time.Millisecond, 0.9, 0.05},
		{2_000, 0.25, 20 * time.Millisecond, 0.9, 0.05},
		{40_000, 1, 20 * time.Millisecond, 0.9, 0.05},
		{40_000, 1, 200 * time.Millisecond, 0.9, 0.05},
		{40_000, 0.25, 200 * time.Millisecond, 0.9, 0.05},
		{200_000, 1, 20 * time.Millisecond, 0.9, 0.05},
		{200_000, 1, 200 * time.Millisecond, 0.9, 0.05},
		{600_000, 1, 20 * time.Millisecond, 0.9, 0.05},
		{600_000, 1, 200 * time.Millisecond, 0.9, 0.05},
		// A stream that can take only one record a second, and answers that
		// take as long as the bucket lasts, leave less to steer by.
		{1_000_000, 1, 200 * time.Millisecond, 0.8, 0.06},
		{40_000, 1, time.Second, 0.9, 0.06},
		{600_000, 1, time.Second, 0.85, 0.06},
		{200_000, 0.25, 200 * time.Millisecond, 0.75, 0.05},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("size=%d/depth=%.2fs/latency=%v", tt.size, tt.depth, tt.latency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeStream{latency: tt.latency, rate: mib, depth: tt.depth * mib}
				q := newQueue(t)
				u := newUploader(t, q, s)
				start := time.Now()
				stop := run(t, u)
				offering, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				defer cancel()
				offer(offering, q, tt.size, 2*mib, 5*time.Second)
				stop()
				if err := u.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if f := q.fates(); f["delivered"] != len(q.records) {
					t.Errorf("of %d records became %v", len(q.records), f)
				}
				used := float64(s.bytes) / (mib * time.Since(start).Seconds())
				refused := float64(s.refused) / float64(s.records)
				t.Logf("used %.1f %%, refused %.2f %% of %d records in %d calls", 100*used, 100*refused, s.records, len(s.times))
				if used < tt.used {
					t.Errorf("used %.1f %% of the allowed throughput, want %.0f %%", 100*used, 100*tt.used)
				}
				if refused > tt.refused {
					t.Errorf("%.1f %% of the records were refused, want at most %.0f %%", 100*refused, 100*tt.refused)
				}
			})
		})
	}
}

func TestRateFollowsTheCeilingOfTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{latency: 50 * time.Millisecond, rate: mib, depth: mib}
		q := newQueue(t)
		u := newUploader(t, q, s)
		defer run(t, u)()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go offer(ctx, q, 50_000, 8*mib, time.Second)

		// used is the part of the allowed throughput in the next so many
		// seconds.
		used := func(seconds int) float64 {
			var before, after int64
			var rate float64
			s.set(func() { before, rate = s.bytes, s.rate })
			time.Sleep(time.Duration(seconds) * time.Second)
			s.set(func() { after = s.bytes })
			return float64(after-before) / rate / float64(seconds)
		}
		time.Sleep(20 * time.Second)
		for _, step := range []struct {
			rate   float64
			settle time.Duration
		}{{mib, 0}, {4 * mib, 60 * time.Second}, {mib / 2, 15 * time.Second}, {3 * mib, 60 * time.Second}} {
			s.set(func() { s.rate, s.depth = step.rate, step.rate })
			time.Sleep(step.settle)
			if got := used(20); got < 0.88 {
				t.Errorf("%v after the ceiling became %.1f MiB/s: %.1f %% of it used", step.settle, step.rate/mib, 100*got)
			}
		}
		s.set(func() { s.rate = 0 })
		time.Sleep(2 * time.Minute)
		var before int64
		s.set(func() { before = s.bytes })
		time.Sleep(10 * time.Second)
		s.set(func() {
			if got := float64(s.bytes-before) / 10 / mib; got < 7 {
				t.Errorf("without a ceiling only %.1f MiB/s of 8 are sent", got)
			}
		})
	})
}

func TestRecordsRefusedByChanceDoNotSlowTheUploadDown(t *testing.T) {
	for _, tt := range []struct{ lossy, flaky float64 }{{0.01, 0}, {0.03, 0}, {0.05, 0.05}, {0.1, 0.1}, {0.2, 0}} {
		t.Run(fmt.Sprintf("records=%v/calls=%v", tt.lossy, tt.flaky), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeStream{latency: 200 * time.Millisecond, lossy: tt.lossy, flaky: tt.flaky}
				q := newQueue(t)
				u := newUploader(t, q, s)
				stop := run(t, u)
				ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
				defer cancel()
				offer(ctx, q, 50_000, 1.2*mib, 2*time.Second)
				waiting, bytes := q.waiting()
				t.Logf("after 60 s %d records wait (%.1f MiB), rate limit %.2f MiB/s", waiting, float64(bytes)/mib, u.pace.limit()/mib)
				if bytes > 15*mib {
					t.Errorf("%.1f of 72 MiB wait after a minute", float64(bytes)/mib)
				}
				stop()
				if err := u.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if f := q.fates(); f["delivered"] != len(q.records) {
					t.Errorf("of %d records became %v", len(q.records), f)
				}
			})
		})
	}
}

func TestStreamThatRefusesEverythingIsAskedTwiceASecondAtMost(t *testing.T) {
	for _, size := range []int{20_000, 500_000} {
		for _, whole := range []float64{0, 1} {
			t.Run(fmt.Sprintf("size=%d/whole=%v", size, whole == 1), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeStream{latency: 10 * time.Millisecond, rate: 2 * mib, depth: 2 * mib}
					q := newQueue(t)
					u := newUploader(t, q, s)
					defer run(t, u)()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					go offer(ctx, q, size, 4*mib, time.Second)
					time.Sleep(20 * time.Second)
					s.set(func() {
						s.lossy, s.flaky = 1, whole
						s.times, s.refused = nil, 0
					})
					time.Sleep(2 * time.Second) // what was taken a moment ago counts for a while
					s.set(func() { s.times = nil })
					time.Sleep(10 * time.Minute)
					s.set(func() {
						for i := 2; i < len(s.times); i++ {
							if d := s.times[i].Sub(s.times[i-2]); d < 900*time.Millisecond {
								t.Errorf("3 calls in %v", d)
								break
							}
						}
						if n := len(s.times); n < 10 || n > 80 {
							t.Errorf("%d calls in 10 minutes", n)
						}
						s.lossy, s.flaky = 0, 0
					})
					if u.State().Ready {
						t.Error("ready, although nothing was taken for 10 minutes")
					}
					time.Sleep(90 * time.Second)
					var before int64
					s.set(func() { before = s.bytes })
					time.Sleep(10 * time.Second)
					s.set(func() {
						if got := float64(s.bytes-before) / 20 / mib; got < 0.85 {
							t.Errorf("90 s after it takes records again, %.1f %% of what the stream takes is sent", 100*got)
						}
					})
				})
			})
		}
	}
}
