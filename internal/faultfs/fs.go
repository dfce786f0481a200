// Package faultfs is a file system in memory for tests of what must survive
// kills, power cuts and failing disks.
//
// It keeps two states: what a running process sees (the page cache) and what
// is on the disk. Written data reaches the disk with Sync, names reach it with
// SyncDir; what did not may be lost, in part or in whole, by Crash. Kill ends
// the process and loses nothing. Faults make chosen operations fail. All that
// is left to chance is decided by a generator with a seed, so that a run can
// be repeated.
package faultfs

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"kinesyslog/internal/vfs"
)

// FS is the file system as one process sees it. It implements vfs.FS, and its
// methods may be called at the same time. The root "/" exists; names must be
// absolute. Renames are possible within one directory only.
type FS struct {
	mu       sync.Mutex
	rng      *rand.Rand
	entries  map[string]*node // what the process sees
	disk     map[string]*node // what a power cut leaves
	pending  []change         // done, but not yet on the disk; oldest first
	faults   []*Fault
	capacity int64
	ops      int
	stopAt   int // the process dies at this operation; 0: it lives on
	dead     bool
}

var _ vfs.FS = (*FS)(nil)

// New returns an empty file system of unlimited capacity.
func New(seed uint64) *FS {
	root := &node{dir: true, mode: fs.ModeDir | 0o700, modified: time.Now()}
	return &FS{
		rng:     rand.New(rand.NewPCG(seed, 0x6b736c6f67)),
		entries: map[string]*node{"/": root},
		disk:    map[string]*node{"/": root},
	}
}

// OpenFile implements vfs.FS.
func (f *FS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	if err := f.begin(OpOpen, name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	fail := func(err error) (vfs.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	n := f.entries[name]
	switch {
	case n != nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return fail(syscall.EEXIST)
	case n != nil && n.dir:
		return fail(syscall.EISDIR)
	case n == nil && flag&os.O_CREATE == 0:
		return fail(syscall.ENOENT)
	case n == nil:
		if err := f.parent(name); err != nil {
			return fail(err)
		}
		n = &node{mode: perm, modified: time.Now()}
		f.apply(change{dir: filepath.Dir(name), name: name, node: n})
	case flag&os.O_TRUNC != 0:
		n.resize(0)
	}
	return &file{fs: f, node: n, name: name, flag: flag}, nil
}

// Rename implements vfs.FS.
func (f *FS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, to = filepath.Clean(from), filepath.Clean(to)
	fail := func(err error) error {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	if err := f.begin(OpRename, from); err != nil {
		return fail(err)
	}
	n := f.entries[from]
	switch {
	case n == nil:
		return fail(syscall.ENOENT)
	case n.dir:
		return fail(syscall.EISDIR)
	case filepath.Dir(from) != filepath.Dir(to):
		return fail(syscall.EXDEV)
	}
	f.apply(change{dir: filepath.Dir(to), name: to, node: n, from: from})
	return nil
}

// Remove implements vfs.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	fail := func(err error) error { return &fs.PathError{Op: "remove", Path: name, Err: err} }
	if err := f.begin(OpRemove, name); err != nil {
		return fail(err)
	}
	n := f.entries[name]
	if n == nil {
		return fail(syscall.ENOENT)
	}
	if n.dir && len(f.list(name)) > 0 {
		return fail(syscall.ENOTEMPTY)
	}
	f.apply(change{dir: filepath.Dir(name), name: name})
	return nil
}

// Mkdir implements vfs.FS.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	fail := func(err error) error { return &fs.PathError{Op: "mkdir", Path: name, Err: err} }
	if err := f.begin(OpMkdir, name); err != nil {
		return fail(err)
	}
	if f.entries[name] != nil {
		return fail(syscall.EEXIST)
	}
	if err := f.parent(name); err != nil {
		return fail(err)
	}
	n := &node{dir: true, mode: fs.ModeDir | perm, modified: time.Now()}
	f.apply(change{dir: filepath.Dir(name), name: name, node: n})
	return nil
}

// ReadDir implements vfs.FS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	fail := func(err error) ([]fs.DirEntry, error) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	if err := f.begin(OpReadDir, name); err != nil {
		return fail(err)
	}
	if n := f.entries[name]; n == nil {
		return fail(syscall.ENOENT)
	} else if !n.dir {
		return fail(syscall.ENOTDIR)
	}
	var out []fs.DirEntry
	for _, path := range f.list(name) {
		out = append(out, fs.FileInfoToDirEntry(f.entries[path].info(path)))
	}
	return out, nil
}

// Stat implements vfs.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	err := f.begin(OpStat, name)
	if err == nil && f.entries[name] == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return f.entries[name].info(name), nil
}

// SyncDir implements vfs.FS. Only the named directory's own changes become
// durable, which is less than most file systems do.
func (f *FS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name = filepath.Clean(name)
	err := f.begin(OpSyncDir, name)
	if err == nil && f.entries[name] == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return &fs.PathError{Op: "sync", Path: name, Err: err}
	}
	f.settle(name)
	return nil
}
