package listen

import (
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// gatherPause is how long datagrams are left to gather in the socket at most.
	// Waking a thread costs as much as reading twenty datagrams, so one that
	// wakes up for each of them spends its time on waking up.
	gatherPause = 2 * time.Millisecond
	// gatherLeast is a pause that would bring less than it costs.
	gatherLeast = 100 * time.Microsecond
	// gatherShare is the part of the receive buffer that may fill in a pause.
	gatherShare = 8
	// skbOverhead is what the kernel counts for a datagram beside twice its
	// length, or less.
	skbOverhead = 1024
	// spareInterval is how often a reader looks how busy the process is. Making
	// records of a generation is a burst of a few tenths of a second.
	spareInterval = time.Second
)

// gathering decides when a socket is read next: at once while reads fill the
// batch, when a datagram comes while few do, and otherwise after a pause in
// which they gather. Not for concurrent use.
type gathering struct {
	buffer  int // bytes that the socket holds, in the kernel's accounting
	readers int // of the process that may pause at the same time
	state   next
	last    time.Time // when the last read ended

	spare  bool // a processor is left over that nobody misses during a pause
	looked time.Time
	used   time.Duration // processor time of the process, when looked at
}

// next is what a reader does after a read.
type next int

const (
	await  next = iota // sleep until a datagram comes
	readOn             // more is there already
	gather             // pause first
)

// after tells what to do after a read that brought n datagrams of size bytes and
// ended now, and how long to pause. A pause is worth it if two datagrams or more
// come in one, and it ends before the buffer is filled by more than its
// gatherShare.
func (g *gathering) after(n, size int, now time.Time) (next, time.Duration) {
	before, gap := g.state, int64(min(max(now.Sub(g.last), time.Microsecond), time.Second)/time.Microsecond)
	g.last, g.state = now, await
	if n == batchSize {
		g.state = readOn
		return readOn, 0
	}
	many := n >= 2
	switch before {
	case await:
		many = int64(n)*gatherPause.Microseconds() >= 2*gap
	case readOn:
		many = true // the end of more than a batch
	}
	filled := int64(2*size + n*skbOverhead)
	pause := gatherPause
	if filled > 0 && before != readOn {
		pause = min(pause, time.Duration(int64(g.buffer)*gap/filled/gatherShare)*time.Microsecond)
	}
	if !many || pause < gatherLeast {
		return await, 0
	}
	g.state = gather
	return gather, pause
}

// pause sleeps. A signal may shorten it.
//
// While the process leaves a processor over, the runtime is not told, so that
// the reader keeps its right to run Go code (its P): then it costs one timer,
// and nobody else's turn delays the next read. If it is told, its monitor takes
// that right away for want of progress, looks every 20 to 70 microseconds from
// then on who else could be relieved, and costs as much as the reader.
func (g *gathering) pause(d time.Duration) {
	g.look()
	ts := unix.NsecToTimespec(d.Nanoseconds())
	if g.spare {
		_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
		return
	}
	_ = unix.Nanosleep(&ts, nil)
}

// look finds out, now and then, whether the others get by on the processors that
// remain if each reader keeps one to itself.
func (g *gathering) look() {
	now := time.Now()
	passed := now.Sub(g.looked)
	if passed < spareInterval {
		return
	}
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return // g.spare stays false
	}
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if !g.looked.IsZero() {
		g.spare = enough(used-g.used, passed, runtime.GOMAXPROCS(0)-g.readers)
	}
	g.looked, g.used = now, used
}

// enough tells whether processors, if they were idle, could do the work of a time
// that has passed, with a quarter to spare.
func enough(used, passed time.Duration, processors int) bool {
	return used < passed*time.Duration(processors)*3/4
}
