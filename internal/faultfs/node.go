package faultfs

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// node is a file or a directory, whatever its name.
type node struct {
	dir      bool
	mode     fs.FileMode
	modified time.Time
	data     []byte       // what a process reads
	disk     []byte       // what a power cut leaves
	dirty    map[int]bool // sectors of data that the disk has not
	resized  bool         // the length differs from the disk's, and is not lost
}

// write puts p at an offset and marks what it touches. Now and then the kernel
// writes back on its own, so that older contents of a sector can be what a
// power cut leaves.
func (n *node) write(p []byte, off int64, rng *rand.Rand) {
	if len(p) == 0 {
		return
	}
	if end := off + int64(len(p)); end > int64(len(n.data)) {
		n.resize(end)
	}
	copy(n.data[off:], p)
	n.modified = time.Now()
	n.touch(off, off+int64(len(p)))
	if rng.IntN(16) == 0 {
		n.writeback(int(off)/sector, len(n.data))
	}
}

// touch marks the sectors from one offset to another as not on the disk.
func (n *node) touch(from, to int64) {
	if n.dirty == nil {
		n.dirty = map[int]bool{}
	}
	for s := from / sector; s*sector < to; s++ {
		n.dirty[int(s)] = true
	}
}

// resize sets the length.
func (n *node) resize(size int64) {
	n.touch(int64(len(n.data)), size)
	n.data = resized(n.data, int(size))
	n.resized = true
	n.modified = time.Now()
}

// writeback puts one sector on the disk, which is made so long that it fits,
// but not longer than limit.
func (n *node) writeback(s, limit int) {
	start, end := s*sector, min((s+1)*sector, len(n.data), limit)
	if start >= end {
		return
	}
	if end > len(n.disk) {
		n.disk = append(n.disk, make([]byte, end-len(n.disk))...)
	}
	copy(n.disk[start:end], n.data[start:end])
}

// sync makes the disk the same as what is seen. Of data that a failed sync
// gave up nothing is written, as Linux does it.
func (n *node) sync() {
	if n.resized {
		n.disk = resized(n.disk, len(n.data))
	}
	for s := range n.dirty {
		n.writeback(s, len(n.disk))
	}
	n.forget()
}

// fail is a sync with an error: some sectors reach the disk, the others are
// held to be written although they are not.
func (n *node) fail(rng *rand.Rand) {
	for _, s := range n.sectors() {
		if rng.IntN(2) == 0 {
			n.writeback(s, len(n.disk))
		}
	}
	n.forget()
}

func (n *node) forget() {
	clear(n.dirty)
	n.resized = false
}

// sectors lists the dirty sectors in order, so that chance is repeatable.
func (n *node) sectors() []int {
	return slices.Sorted(maps.Keys(n.dirty))
}

// crash leaves what the disk has, and of what it has not a part that chance
// decides: a new length somewhere between the old one and the new one, and any
// set of the sectors. A sector that is missing in between holds zeros, or
// what was on the disk before it belonged to this file.
func (n *node) crash(rng *rand.Rand) {
	if n.dir {
		return
	}
	if n.resized {
		was, size := len(n.disk), len(n.data)
		switch rng.IntN(3) {
		case 0: // the old length
			size = was
		case 1:
			size = min(was, size) + rng.IntN(max(was, size)-min(was, size)+1)
		}
		n.disk = resized(n.disk, size)
		if rng.IntN(4) == 0 {
			for i := was; i < size; i++ {
				n.disk[i] = byte(rng.Uint32())
			}
		}
	}
	keep := rng.IntN(5) // of four
	for _, s := range n.sectors() {
		if rng.IntN(4) < keep {
			n.writeback(s, len(n.disk))
		}
	}
	n.data = append([]byte(nil), n.disk...)
	n.forget()
}

func resized(b []byte, size int) []byte {
	if size <= len(b) {
		return b[:size:size]
	}
	return append(b, make([]byte, size-len(b))...)
}

// info describes a node as package os would.
func (n *node) info(path string) fs.FileInfo {
	return info{name: filepath.Base(path), size: int64(len(n.data)), mode: n.mode, modified: n.modified}
}

type info struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.modified }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
