// Package yardstick measures a piece of kinesyslog and, beside it, the thing it
// is compared with, on the same input in the same process. It is for tests.
//
// Benchmarks of this kind are called BenchmarkYardstick/<pair>/ours and
// BenchmarkYardstick/<pair>/<name of the yardstick>, without a hyphen in the
// last part. The program in ratios finds them by that, prints them side by side
// and fails a change that makes one of ours slower in proportion. What several
// cores use at the same time is BenchmarkShared/<piece>.
package yardstick

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The units that Measure reports, besides MB/s.
const (
	Elapsed     = "ns/msg"     // by the clock on the wall
	CPU         = "cpu-ns/msg" // of all threads of the process, in user and kernel mode
	Allocations = "allocs/msg" // of all goroutines
	// SharedCPU is what Together reports besides ns/op.
	SharedCPU = "cpu-ns/op"
)

// Measure calls f as often as b asks for and reports what one message costs,
// where one call handles so many messages, of so many bytes together. f is
// called once beforehand, so that memory which is kept from call to call does
// not count.
func Measure(b *testing.B, messages, bytes int, f func()) {
	b.Helper()
	b.SetBytes(int64(bytes))
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime(b)
	for b.Loop() {
		f()
	}
	used := cpuTime(b) - start
	runtime.ReadMemStats(&after)
	n := float64(b.N) * float64(messages)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, Elapsed)
	b.ReportMetric(float64(used.Nanoseconds())/n, CPU)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, Allocations)
	b.ReportMetric(0, "ns/op") // left out: an operation is a call
}

// Together calls a function on as many cores as GOMAXPROCS says at the same
// time: what prepare has made for each of them, given its number from 0, before
// the clock runs. ns/op is what one call takes of the wall clock's time, so that
// it is half on two cores that share nothing; cpu-ns/op is then the same, and more
// where they wait for each other or for a cache line.
func Together(b *testing.B, prepare func(core int) func()) {
	b.Helper()
	calls := make([]func(), runtime.GOMAXPROCS(0))
	for i := range calls {
		calls[i] = prepare(i)
	}
	var next atomic.Int32
	start := cpuTime(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		call := calls[next.Add(1)-1]
		for pb.Next() {
			call()
		}
	})
	b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N), SharedCPU)
}

// cpuTime is what the process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
