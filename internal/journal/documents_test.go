package journal

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
)

// patient is a journal whose generations may stay open for ten minutes, until
// they have 1,000 bytes a document.
func patient(t *testing.T, change func(*Options)) *bench {
	return open(t, "/", func(o *Options) {
		o.FS, o.Shards = faultfs.New(1), 1
		o.FlushInterval, o.FlushIntervalMax, o.DocumentBytes = time.Minute, 10*time.Minute, 1000
		if change != nil {
			change(o)
		}
	})
}

// closes waits for the next generation and tells how long it took.
func closes(t *testing.T, j *Journal) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	defer cancel()
	if j.Next(ctx) == nil {
		t.Fatal("no generation is ever closed")
	}
	return time.Since(began)
}

func TestAGenerationStaysOpenUntilItsDocumentsAreWorthTheirRecords(t *testing.T) {
	listener := func(listener, _ string) string { return listener }
	for _, c := range []struct {
		name   string
		change func(*Options)
		put    func(*Journal, int) // called every half minute, and how often before
		want   time.Duration
	}{
		{"enough of one sender", nil, func(j *Journal, _ int) {
			put(t, j, source("192.0.2.1"), strings.Repeat("x", 500))
		}, time.Minute},
		{"enough after a while", nil, func(j *Journal, _ int) {
			put(t, j, source("192.0.2.1"), strings.Repeat("x", 125))
		}, 4 * time.Minute},
		{"never enough", nil, func(j *Journal, _ int) {
			put(t, j, source("192.0.2.1"), "x")
		}, 10 * time.Minute},
		{"enough of one sender, with another that says little", nil, func(j *Journal, n int) {
			put(t, j, source("192.0.2.1"), strings.Repeat("x", 499))
			put(t, j, source("192.0.2.2"), "x")
		}, 2 * time.Minute},
		{"ever more senders", nil, func(j *Journal, n int) {
			put(t, j, source(fmt.Sprintf("192.0.2.%d", n)), strings.Repeat("x", 900))
		}, 10 * time.Minute},
		{"senders that share a log stream", func(o *Options) { o.StreamOf = listener }, func(j *Journal, n int) {
			put(t, j, source(fmt.Sprintf("192.0.2.%d", n)), strings.Repeat("x", 500))
		}, time.Minute},
		{"two listeners", func(o *Options) { o.StreamOf = listener }, func(j *Journal, n int) {
			put(t, j, source("192.0.2.1"), strings.Repeat("x", 250))
			put(t, j, event.NewSource("udp/514", "syslog", "514", "192.0.2.1"), strings.Repeat("x", 250))
		}, 2 * time.Minute},
		{"a limit that is no multiple of the interval", func(o *Options) { o.FlushIntervalMax = 150 * time.Second }, func(j *Journal, _ int) {
			put(t, j, source("192.0.2.1"), "x")
		}, 150 * time.Second},
		{"not asked for", func(o *Options) { o.FlushIntervalMax = o.FlushInterval }, func(j *Journal, _ int) {
			put(t, j, source("192.0.2.1"), "x")
		}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := patient(t, c.change)
				defer j.Close()
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				first := make(chan struct{})
				go func() {
					for n := 0; ctx.Err() == nil; n++ {
						c.put(j.Journal, n)
						if n == 0 {
							close(first)
						}
						select {
						case <-time.After(30 * time.Second):
						case <-ctx.Done():
						}
					}
				}()
				<-first
				if got := closes(t, j.Journal); got != c.want {
					t.Errorf("closed after %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestEachGenerationCountsItsOwnSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := patient(t, nil)
		defer j.Close()
		for i := range 50 {
			put(t, j.Journal, source(fmt.Sprintf("192.0.2.%d", i)), "x")
		}
		if got := closes(t, j.Journal); got != 10*time.Minute {
			t.Errorf("closed after %s", got)
		}
		put(t, j.Journal, source("192.0.2.1"), strings.Repeat("x", 1000))
		if got := closes(t, j.Journal); got != time.Minute {
			t.Errorf("the next was closed after %s", got)
		}
	})
}

func TestAnEndClosesWhatWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := patient(t, nil)
		put(t, j.Journal, source("192.0.2.1"), "x")
		j.Close()
		if got := closes(t, j.Journal); got != 0 {
			t.Errorf("it took %s", got)
		}
	})
}

func TestAFullDiskClosesWhatWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := patient(t, nil)
		defer j.Close()
		put(t, j.Journal, source("192.0.2.1"), "x")
		j.room.full.Store(true)
		if got := closes(t, j.Journal); got != time.Minute {
			t.Errorf("closed after %s", got)
		}
	})
}

func TestSizeClosesWhatWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := patient(t, func(o *Options) { o.GenerationBytes, o.DocumentBytes = 10_000, 1<<40 })
		defer j.Close()
		for range 20 {
			put(t, j.Journal, source("192.0.2.1"), strings.Repeat("x", 1000))
		}
		if got := closes(t, j.Journal); got != 0 {
			t.Errorf("it took %s", got)
		}
	})
}

func TestSendersThatAreCountedAreBounded(t *testing.T) {
	d := newDocuments(nil)
	for i := range maxSenders + 10 {
		d.see(source(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)))
	}
	if d.count() != maxSenders {
		t.Errorf("%d are counted", d.count())
	}
}

func TestSeeingAKnownSenderAllocatesNothing(t *testing.T) {
	d := newDocuments(func(listener, address string) string { return listener + address })
	a, b := source("192.0.2.1"), source("192.0.2.2")
	if n := testing.AllocsPerRun(100, func() { d.see(a); d.see(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSeeingOneOfTwoThousandSenders(b *testing.B) {
	d := newDocuments(nil)
	var all []*event.Source
	for i := range 2000 {
		all = append(all, source(fmt.Sprintf("10.0.%d.%d", i/250, i%250)))
	}
	for i := 0; b.Loop(); i++ {
		d.see(all[i%len(all)])
	}
}
