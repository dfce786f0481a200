package faultfs

import (
	"path/filepath"
	"slices"
	"syscall"
)

// change is one operation on a directory that SyncDir makes durable.
type change struct {
	dir  string
	name string // this name ...
	node *node  // ... now means this node; nil: nothing
	from string // renamed from here
}

// settle puts a directory's changes on the disk.
func (f *FS) settle(dir string) {
	f.pending = slices.DeleteFunc(f.pending, func(c change) bool {
		if c.dir == dir {
			c.do(f.disk)
		}
		return c.dir == dir
	})
}

// used is the length of all files together.
func (f *FS) used() (n int64) {
	for _, node := range f.entries {
		n += int64(len(node.data))
	}
	return n
}

// parent tells why nothing can be made under a name.
func (f *FS) parent(name string) error {
	n := f.entries[filepath.Dir(name)]
	switch {
	case n == nil:
		return syscall.ENOENT
	case !n.dir:
		return syscall.ENOTDIR
	}
	return nil
}

// list returns the paths in a directory, sorted.
func (f *FS) list(dir string) []string {
	var out []string
	for path := range f.entries {
		if path != "/" && filepath.Dir(path) == dir {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// apply makes a change visible and notes it for the disk.
func (f *FS) apply(c change) {
	c.do(f.entries)
	f.pending = append(f.pending, c)
}

func (c change) do(entries map[string]*node) {
	if c.from != "" {
		delete(entries, c.from)
	}
	if c.node == nil {
		delete(entries, c.name)
		return
	}
	entries[c.name] = c.node
}
