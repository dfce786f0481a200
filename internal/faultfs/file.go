package faultfs

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// file is an open file. All its fields belong to the lock of its FS.
type file struct {
	fs     *FS
	node   *node
	name   string
	flag   int
	pos    int64
	closed bool
}

func (h *file) begin(op Op) error {
	if h.closed {
		return fs.ErrClosed
	}
	return h.fs.begin(op, h.name)
}

func (h *file) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: h.name, Err: err}
}

// Read implements vfs.File.
func (h *file) Read(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.begin(OpRead); err != nil {
		return 0, h.fail("read", err)
	}
	if h.pos >= int64(len(h.node.data)) && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, h.node.data[min(h.pos, int64(len(h.node.data))):])
	h.pos += int64(n)
	return n, nil
}

// ReadAt implements vfs.File.
func (h *file) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.begin(OpRead); err != nil {
		return 0, h.fail("read", err)
	}
	if off < 0 {
		return 0, h.fail("read", syscall.EINVAL)
	}
	n := copy(p, h.node.data[min(off, int64(len(h.node.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write implements vfs.File.
func (h *file) Write(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.flag&os.O_APPEND != 0 {
		h.pos = int64(len(h.node.data))
	}
	n, err := h.write(p, h.pos)
	h.pos += int64(n)
	return n, err
}

// WriteAt implements vfs.File.
func (h *file) WriteAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if off < 0 || h.flag&os.O_APPEND != 0 {
		return 0, h.fail("write", syscall.EINVAL)
	}
	return h.write(p, off)
}

// write puts as much in place as faults and capacity allow.
func (h *file) write(p []byte, off int64) (int, error) {
	if !h.writable() {
		return 0, h.fail("write", syscall.EBADF)
	}
	allowed, err := h.allowed(len(p))
	if h.fs.capacity > 0 {
		end := int64(len(h.node.data)) + max(0, h.fs.capacity-h.fs.used())
		if off+int64(allowed) > end && off+int64(allowed) > int64(len(h.node.data)) {
			allowed, err = int(max(0, end-off)), syscall.ENOSPC
		}
	}
	h.node.write(p[:allowed], off, h.fs.rng)
	if err != nil {
		return allowed, h.fail("write", err)
	}
	return allowed, nil
}

// allowed says how much of a write happens before it fails.
func (h *file) allowed(length int) (int, error) {
	if h.closed {
		return 0, fs.ErrClosed
	}
	wasDead := h.fs.dead
	err := h.fs.begin(OpWrite, h.name)
	if err == nil {
		return length, nil
	}
	if wasDead || length == 0 {
		return 0, err
	}
	return h.fs.rng.IntN(length), err // a fault, or the process dies in the middle
}

// Sync implements vfs.File.
func (h *file) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	wasDead := h.fs.dead
	if err := h.begin(OpSync); err != nil {
		if !wasDead && !h.fs.dead && !h.closed {
			h.node.fail(h.fs.rng)
		}
		return h.fail("sync", err)
	}
	h.node.sync()
	return nil
}

// Truncate implements vfs.File.
func (h *file) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	err := h.begin(OpTruncate)
	switch {
	case err != nil:
	case size < 0:
		err = syscall.EINVAL
	case !h.writable():
		err = syscall.EBADF
	}
	if err != nil {
		return h.fail("truncate", err)
	}
	h.node.resize(size)
	return nil
}

// Stat implements vfs.File.
func (h *file) Stat() (fs.FileInfo, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.begin(OpStat); err != nil {
		return nil, h.fail("stat", err)
	}
	return h.node.info(h.name), nil
}

// Close implements vfs.File. The file is closed even when an error is told.
func (h *file) Close() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	err := h.begin(OpClose)
	h.closed = true
	if err != nil {
		return h.fail("close", err)
	}
	return nil
}

func (h *file) writable() bool { return h.flag&(os.O_WRONLY|os.O_RDWR) != 0 }
