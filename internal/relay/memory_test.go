package relay

import (
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestWithoutAMemoryLimitNothingIsHeldBack(t *testing.T) {
	want := memory{workers: 16, generation: 32 << 20, calls: mostCalls, heap: math.MaxInt64}
	if got := shareMemory(math.MaxInt64, 16, 32<<20); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsMappedAndTheHeapStayWithinTheMemoryLimit(t *testing.T) {
	for _, limit := range []int64{16 << 20, 48 << 20, 64 << 20, 100 << 20, 256 << 20, 1 << 30, 64 << 30} {
		for _, processors := range []int{1, 2, 8, 64} {
			for _, largest := range []int64{1 << 20, 32 << 20} {
				m := shareMemory(limit, processors, largest)
				mapped := int64(m.workers) * mappedFor(m.generation)
				if mapped > limit/mappedShare || mapped+m.heap > limit {
					t.Errorf("limit %d, %d processors, files of %d: %+v maps %d", limit, processors, largest, m, mapped)
				}
				if m.workers < 1 || m.workers > processors || m.calls < 1 || m.calls > mostCalls || m.generation < leastGeneration || m.generation > largest {
					t.Errorf("limit %d, %d processors, files of %d: %+v is out of bounds", limit, processors, largest, m)
				}
			}
		}
	}
}

func TestALargeMemoryLimitCostsNothing(t *testing.T) {
	m := shareMemory(1<<30, 2, 32<<20)
	if m.workers != 2 || m.generation != 32<<20 || m.calls != mostCalls {
		t.Errorf("got %+v", m)
	}
}

func TestGoGetsItsMemoryLimitBack(t *testing.T) {
	own := debug.SetMemoryLimit(1 << 30)
	defer debug.SetMemoryLimit(own)
	undo := shareMemory(memoryLimit(), 2, 32<<20).lowerMemoryLimit()
	if got, want := memoryLimit(), int64(1<<30-2*36<<20); got != want {
		t.Errorf("limit %d, want %d", got, want)
	}
	undo()
	if got := memoryLimit(); got != 1<<30 {
		t.Errorf("limit %d afterwards, want %d", got, 1<<30)
	}
}

func TestARelayWithASmallMemoryLimitDeliversEverything(t *testing.T) {
	own := debug.SetMemoryLimit(64 << 20)
	defer debug.SetMemoryLimit(own)
	dir := t.TempDir()
	r := start(t, t.TempDir(), map[string]string{"local": dir, "compression": "auto"})
	if r.memory.generation >= 32<<20 || memoryLimit() >= 64<<20 {
		t.Errorf("journal files of %d bytes, %d bytes for Go: the limit changes nothing", r.memory.generation, memoryLimit())
	}
	want := make([]string, 8)
	filler := strings.Repeat("many bytes ", 5000)
	for i := range want {
		want[i] = "<13>1 2024-01-02T03:04:05.678Z host app - - - " + strconv.Itoa(i) + " " + filler
	}
	for range 40 { // 17 MiB: more than a journal file
		send(t, "tcp", r.tcp, want)
	}
	waitFor(t, func() bool {
		var n uint64
		for _, b := range r.ledger.Snapshot() {
			n += b.Received
		}
		return n == uint64(40*len(want))
	})
	r.shutdown()
	if messages, _ := got(t, dir); len(messages) != 40*len(want) || !slices.Equal(slices.Compact(messages), want) {
		t.Errorf("%d messages were delivered of %d, or they were altered\n%s", len(messages), 40*len(want), r.log)
	}
	if got := memoryLimit(); got != 64<<20 {
		t.Errorf("limit %d after the relay, want the one before, %d", got, 64<<20)
	}
}
