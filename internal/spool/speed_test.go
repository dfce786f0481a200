package spool_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/vfs"
)

// BenchmarkCommit writes a generation of 1,000 records of 5 KiB, durably.
func BenchmarkCommit(b *testing.B) {
	d := b.TempDir()
	s := mustOpen(b, vfs.OS{}, d)
	recs := records(1000, 5<<10)
	b.SetBytes(1000 * 5 << 10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.put(i, recs...)
		b.StopTimer()
		must(b, os.Remove(fmt.Sprintf("%s/%s.spool", d, name(i))))
		b.StartTimer()
	}
}

// BenchmarkTakeDelivered takes and delivers records in full calls.
func BenchmarkTakeDelivered(b *testing.B) {
	for _, size := range []int{5 << 10, 500 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s := mustOpen(b, vfs.OS{}, b.TempDir())
			recs := records(100<<20/size/4, size)
			b.SetBytes(int64(len(recs) * size))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				s.put(i, recs...)
				b.StartTimer()
				for left := len(recs); left > 0; {
					got := s.take(500, 4<<20)
					must(b, s.Delivered(got))
					left -= len(got)
				}
			}
		})
	}
}

// hold fills a directory with 2,000,000 messages in 100 MB.
func hold(t testing.TB, d string, files, recordsEach int) {
	t.Helper()
	s := mustOpen(t, vfs.OS{}, d)
	events := 2_000_000 / (files * recordsEach)
	for gen := range files {
		recs := records(recordsEach, 100_000_000/(files*recordsEach))
		for i := range recs {
			recs[i].Events = events
		}
		s.put(gen, recs...)
	}
}

func TestStartWithTwoMillionMessagesTakesLessThanTwoSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MB")
	}
	d := t.TempDir()
	hold(t, d, 200, 100)
	start := time.Now()
	s := mustOpen(t, vfs.OS{}, d)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if held := s.balance().Held[ledger.Spool]; held != 2_000_000 {
		t.Errorf("%d messages are held", held)
	}
}

// BenchmarkOpen is a start with 2,000,000 messages held, from few large records
// to many small ones.
func BenchmarkOpen(b *testing.B) {
	for _, shape := range []struct{ files, records int }{{20, 12}, {200, 1000}, {20_000, 10}} {
		b.Run(fmt.Sprintf("%dx%d", shape.files, shape.records), func(b *testing.B) {
			d := b.TempDir()
			hold(b, d, shape.files, shape.records)
			var s *bench
			for b.Loop() {
				s = mustOpen(b, vfs.OS{}, d)
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/float64(s.Stats().Records), "heapB/record")
		})
	}
}

func TestBigRecordsGoStraightThrough(t *testing.T) {
	d := t.TempDir()
	s := mustOpen(t, vfs.OS{}, d)
	recs := records(3, spool.MaxData)
	s.put(1, recs...)
	got := s.takeAll()
	same(t, 1, recs, got)
	must(t, s.Delivered(got))
}
