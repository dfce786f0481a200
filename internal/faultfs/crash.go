package faultfs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"
)

// ErrDead is what every operation returns once the process is dead.
var ErrDead = errors.New("the process is dead")

// Ops returns how many operations there were.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ops
}

// DieAfter lets n more operations happen. In the next one the process dies: a
// write may have happened in part, everything else has not happened, and every
// operation after that fails with ErrDead. Go on with Kill or Crash.
func (f *FS) DieAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopAt = f.ops + n + 1
}

// Dead tells whether the process is dead.
func (f *FS) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// Kill ends the process as kill -9 does: all that was written stays. It
// returns the file system for the process that comes after it, without faults;
// the old one and its files answer ErrDead.
func (f *FS) Kill() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	return &FS{
		rng: f.rng, entries: f.entries, disk: f.disk, pending: f.pending,
		capacity: f.capacity, ops: f.ops,
	}
}

// Crash cuts the power. Of each directory's changes that were not synced the
// first few survive, of each file's data some sectors: chance decides. It
// returns the file system that is found afterwards, as Kill does.
func (f *FS) Crash() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	left := map[string]int{}
	for _, c := range f.pending {
		left[c.dir]++
	}
	for _, dir := range slices.Sorted(maps.Keys(left)) {
		left[dir] = f.rng.IntN(left[dir] + 1)
	}
	for _, c := range f.pending {
		if left[c.dir] > 0 {
			left[c.dir]--
			c.do(f.disk)
		}
	}
	after := &FS{rng: f.rng, entries: map[string]*node{}, disk: map[string]*node{}, capacity: f.capacity, ops: f.ops}
	for _, path := range slices.Sorted(maps.Keys(f.disk)) {
		// A directory sorts before what is in it; what is in one that was
		// lost is lost.
		if path != "/" && after.entries[filepath.Dir(path)] == nil {
			continue
		}
		n := f.disk[path]
		n.crash(f.rng)
		after.entries[path], after.disk[path] = n, n
	}
	return after
}

// ReadFile returns what a process would read. It never fails by a fault and
// counts as no operation.
func (f *FS) ReadFile(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.entries[filepath.Clean(name)]
	if n == nil || n.dir {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return slices.Clone(n.data), nil
}

// WriteFile makes a file whose contents and name are durable at once, whatever
// the faults; so are the directory's changes before it. The directory must
// exist.
func (f *FS) WriteFile(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	f.settle(filepath.Dir(name))
	n := &node{mode: 0o600, modified: time.Now(), data: slices.Clone(data), disk: slices.Clone(data)}
	f.entries[name], f.disk[name] = n, n
}

// FlipBit turns one bit over, in what is read and on the disk. bit counts from
// the file's start; a bit beyond its end is left alone.
func (f *FS) FlipBit(name string, bit int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.entries[filepath.Clean(name)]
	if n == nil {
		return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	for _, b := range [][]byte{n.data, n.disk} {
		if i := bit / 8; i < int64(len(b)) {
			b[i] ^= 1 << (bit % 8)
		}
	}
	return nil
}
