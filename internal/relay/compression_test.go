package relay

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
)

// loaded is a compression of a machine whose load and queue the test sets.
type loaded struct {
	*compression
	load   atomic.Int64 // per cent
	queued atomic.Int64
}

func newLoaded(t *testing.T, level int) *loaded {
	t.Helper()
	l := &loaded{}
	cfg := &config.Listen{Compression: level, FlushInterval: 15 * time.Second}
	l.compression = newCompression(cfg, 2, func() int { return int(l.queued.Load()) }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if l.auto() {
		var used time.Duration
		last := time.Now()
		l.processors.used = func() time.Duration {
			used += time.Since(last) * time.Duration(l.load.Load()) * time.Duration(runtime.GOMAXPROCS(0)) / 100
			last = time.Now()
			return used
		}
	}
	return l
}

func (l *loaded) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { l.run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

func (l *loaded) want(t *testing.T, when string, level int) {
	t.Helper()
	if got := l.Level(); got != level {
		t.Errorf("level %d %s, want %d", got, when, level)
	}
}

func TestAFixedLevelStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoaded(t, 3)
		l.start(t)
		l.load.Store(100)
		time.Sleep(time.Hour)
		l.want(t, "under load", 3)
	})
}

func TestTheLevelFollowsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoaded(t, config.AutoCompression)
		l.start(t)
		l.load.Store(2)
		l.want(t, "at the start", 6)
		time.Sleep(13 * time.Second)
		l.want(t, "before a flush interval has passed", 6)
		time.Sleep(2 * time.Second)
		l.want(t, "after it", 8)
		time.Sleep(16 * time.Second)
		l.want(t, "after two", 9)

		l.load.Store(100)
		time.Sleep(8 * time.Second)
		l.want(t, "8 s after the load has come", 6)
		time.Sleep(time.Minute)
		l.want(t, "when the load stays", 1)

		l.load.Store(60)
		time.Sleep(time.Hour)
		l.want(t, "with over half of the processors in use", 1)
	})
}

func TestGenerationsThatWaitLowerTheLevelOnlyWhileEveryWorkerIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoaded(t, config.AutoCompression)
		l.start(t)
		l.load.Store(60)
		l.queued.Store(5)
		time.Sleep(time.Minute)
		l.want(t, "with workers that wait for room on the disk", 6)

		end := make(chan struct{})
		failure := errors.New("no room")
		result := make(chan error, 2)
		for range 2 {
			go func() { result <- l.during(func() error { <-end; return failure }) }()
		}
		time.Sleep(10 * time.Second)
		l.want(t, "with workers that are behind", 1)
		close(end)
		for range 2 {
			if err := <-result; !errors.Is(err, failure) {
				t.Errorf("error %v, want that of the work", err)
			}
		}
	})
}

func TestTheLoadIsTheAverageOfTheLastSeconds(t *testing.T) {
	var used time.Duration
	p := &processors{used: func() time.Duration { return used }}
	now := time.Unix(1_700_000_000, 0)
	if got := p.load(now); got != 0 {
		t.Errorf("the first look gives %v, want 0", got)
	}
	shares := []float64{1, 0, 0.5, 0.5, 0, 1, 1, 1, 1, 1, 0}
	for i, share := range shares {
		now = now.Add(time.Second)
		used += time.Duration(share * float64(time.Second) * float64(runtime.GOMAXPROCS(0)))
		want, window := 0.0, shares[max(0, i+1-loadWindow):i+1]
		for _, s := range window {
			want += s / float64(len(window))
		}
		if got := p.load(now); math.Abs(got-want) > 1e-6 {
			t.Errorf("second %d: load %v, want %v", i, got, want)
		}
	}
}

func TestProcessorTimeIsThatOfTheProcess(t *testing.T) {
	for before := processorTime(); processorTime() <= before; {
	}
}
