package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kinesyslog/internal/vfs"
)

// reserve is a file that only takes up room: what converting a generation needs
// in the worst case. Without it, a disk that other programs fill would leave
// messages in the journal that cannot be made into records, while there are no
// records whose delivery would make room.
//
// When the disk is full it is given up, for one generation at a time, and taken
// back as soon as that is possible. Nothing is taken in while it is not there:
// intake would use up the room at once.
type reserve struct {
	fs     vfs.FS
	path   string
	budget *budget
	log    *slog.Logger

	need sync.Mutex // held by whoever has the reserve, or makes it
	held bool
}

func newReserve(fsys vfs.FS, dir string, b *budget, log *slog.Logger) *reserve {
	return &reserve{fs: fsys, path: filepath.Join(dir, "reserve"), budget: b, log: log}
}

// open makes the file, or finds it. Where there is no room for it the relay
// starts all the same, and converts and delivers what it holds; intake begins
// when there is room.
func (r *reserve) open() {
	if err := r.restore(); err != nil {
		r.log.Error("nothing is taken in until there is room on the disk", slog.Any("error", err))
	}
}

// isFull tells whether an error says that there is no room on the disk.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// lend gives the room to f, which could not do without, and takes it back. f
// may be called while others write to the disk; it is the only one that is lent
// to.
func (r *reserve) lend(f func() error) error {
	r.need.Lock()
	defer r.need.Unlock()
	r.giveUp()
	err := f()
	if missing := r.restoreLocked(); missing != nil {
		r.log.Debug("the reserve is not there yet", slog.Any("error", missing))
	}
	return err
}

// keep takes the room back when it can, until ctx is done. makeRoom, if there is
// one, is asked for help while that fails, and reports whether it did something.
func (r *reserve) keep(ctx context.Context, makeRoom func() bool) {
	tick := time.NewTicker(refusal)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if !r.budget.exposed.Load() {
			continue
		}
		for err := r.restore(); isFull(err) && makeRoom != nil && makeRoom(); {
			err = r.restore()
		}
	}
}

// restore makes the file if it is not there.
func (r *reserve) restore() error {
	r.need.Lock()
	defer r.need.Unlock()
	return r.restoreLocked()
}

func (r *reserve) restoreLocked() error {
	if r.held {
		return nil
	}
	err := r.allocate()
	if err != nil {
		err = fmt.Errorf("set %d bytes aside in %s to convert with: %w", r.budget.reserve, r.path, err)
		r.giveUp() // a part of it is of no use
		r.budget.expose(err)
		return err
	}
	r.held = true
	r.budget.expose(nil)
	return nil
}

func (r *reserve) giveUp() {
	r.budget.expose(fmt.Errorf("what was set aside is in use: %w", syscall.ENOSPC))
	r.held = false
	if err := r.fs.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		r.log.Error("the reserve on the disk cannot be given up", slog.Any("error", err))
	}
}

// close leaves the file only where somebody will need it: with messages that
// wait for the next start.
func (r *reserve) close() {
	if r.budget.used.Load() == 0 {
		_ = r.fs.Remove(r.path) // it is in nobody's way
	}
}

func (r *reserve) allocate() error {
	f, err := r.fs.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(allocate(f, r.budget.reserve), f.Close())
}

// allocate gives a file so many bytes for good.
func allocate(f vfs.File, size int64) error {
	if file, ok := f.(*os.File); ok {
		for {
			err := unix.Fallocate(int(file.Fd()), 0, 0, size)
			switch {
			case errors.Is(err, unix.EINTR):
				continue
			case !errors.Is(err, unix.EOPNOTSUPP):
				return err
			}
			break
		}
	}
	// The file system cannot promise room, so it is taken.
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 256<<10)
	for at := info.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return f.Sync()
}
