package relay

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// arena is the memory a worker reads a generation into. It is not on Go's heap:
// there it would double the size at which the collector runs, and could not be
// given back to the system between generations.
type arena struct{ memory []byte }

// get returns n bytes whose content is arbitrary. The bytes of an earlier call
// are gone.
func (a *arena) get(n int64) ([]byte, error) {
	if n > int64(len(a.memory)) {
		a.free()
		m, err := unix.Mmap(-1, 0, int(mappedFor(n)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return nil, fmt.Errorf("get %d bytes of memory for a generation: %w", n, err)
		}
		a.memory = m
	}
	return a.memory[:n], nil
}

// mappedFor is how much is mapped for n bytes: more, so that the next generation,
// a little larger, needs no other memory.
func mappedFor(n int64) int64 { return n + n/8 }

// rest gives the memory back until it is needed again.
func (a *arena) rest() {
	if a.memory != nil {
		_ = unix.Madvise(a.memory, unix.MADV_DONTNEED) // a hint
	}
}

func (a *arena) free() {
	if a.memory != nil {
		_ = unix.Munmap(a.memory)
		a.memory = nil
	}
}
