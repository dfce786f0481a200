package yardstick

import (
	"flag"
	"runtime"
	"testing"
	"time"
)

// brief runs a benchmark a few times only: by itself it would take a second.
func brief(t *testing.T, f func(b *testing.B)) testing.BenchmarkResult {
	t.Helper()
	usual := flag.Lookup("test.benchtime").Value.String()
	if err := flag.Set("test.benchtime", "20x"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := flag.Set("test.benchtime", usual); err != nil {
			t.Error(err)
		}
	}()
	return testing.Benchmark(f)
}

func TestAllocationsAreThoseOfOneMessageWithoutTheFirstCall(t *testing.T) {
	var kept [][]byte
	calls := 0
	r := brief(t, func(b *testing.B) {
		calls = 0
		Measure(b, 10, 2560, func() {
			if calls++; calls == 1 {
				kept = nil
				for range 1_000_000 {
					kept = append(kept, make([]byte, 1))
				}
			}
			for i := range 5 {
				kept[i] = make([]byte, 32)
			}
		})
	})
	if got := r.Extra[Allocations]; got < 0.5 || got > 0.6 {
		t.Errorf("%v allocations a message, want 5 for 10", got)
	}
}

func TestSleepIsElapsedTimeButNotCPU(t *testing.T) {
	r := brief(t, func(b *testing.B) {
		Measure(b, 1, 1, func() { time.Sleep(time.Millisecond) })
	})
	if cpu, elapsed := r.Extra[CPU], r.Extra[Elapsed]; elapsed < 1e6 || cpu > elapsed/2 {
		t.Errorf("a message took %v ns and %v ns of CPU", elapsed, cpu)
	}
}

func TestEachCoreCallsItsOwnFunction(t *testing.T) {
	var calls []int
	r := brief(t, func(b *testing.B) {
		calls = make([]int, runtime.GOMAXPROCS(0))
		Together(b, func(core int) func() { return func() { calls[core]++ } })
	})
	sum := 0
	for _, n := range calls {
		sum += n
	}
	if sum != r.N {
		t.Errorf("%v calls on the cores, want %d together", calls, r.N)
	}
}
