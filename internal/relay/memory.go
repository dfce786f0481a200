package relay

import (
	"math"
	"runtime/debug"
)

const (
	// mappedShare is the part of a memory limit that workers may map outside of
	// Go's heap; see arena.
	mappedShare = 4
	// smallGeneration is the least that is worth a worker of its own.
	smallGeneration = 4 << 20
	leastGeneration = 1 << 20
	// callMemory is what a call to Firehose takes while it is made: its records
	// and the same in base64, at 4 MiB of records a call.
	callMemory = 10 << 20
	mostCalls  = 4
)

// memory shares out what GOMEMLIMIT allows. The limit is Go's: its runtime does
// not count what is mapped beside the heap, so that is bounded and taken off.
type memory struct {
	workers    int   // that make records
	generation int64 // bytes of a journal file, which a worker maps as a whole
	calls      int   // to Firehose at the same time
	heap       int64 // what is left for Go
}

// shareMemory makes the most of a limit in bytes; math.MaxInt64 is none. largest
// is how large a journal file may be.
func shareMemory(limit int64, processors int, largest int64) memory {
	m := memory{workers: processors, generation: largest, calls: mostCalls, heap: limit}
	if limit == math.MaxInt64 {
		return m
	}
	mapped := limit / mappedShare
	m.workers = int(min(int64(processors), max(1, mapped/mappedFor(smallGeneration))))
	for m.generation > leastGeneration && int64(m.workers)*mappedFor(m.generation) > mapped {
		m.generation = max(leastGeneration, m.generation*15/16)
	}
	m.calls = int(min(mostCalls, max(1, limit/3/callMemory)))
	m.heap = max(limit/2, limit-int64(m.workers)*mappedFor(m.generation))
	return m
}

// memoryLimit is the one of GOMEMLIMIT, or math.MaxInt64.
func memoryLimit() int64 { return debug.SetMemoryLimit(-1) }

// lowerMemoryLimit takes what workers may map off Go's limit. The function that
// it returns undoes that.
func (m memory) lowerMemoryLimit() (undo func()) {
	before := debug.SetMemoryLimit(m.heap)
	return func() { debug.SetMemoryLimit(before) }
}
