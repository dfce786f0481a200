package faultfs

import (
	"strings"
	"syscall"
)

// Op is an operation that can be made to fail.
type Op int

// The operations. Any stands for all of them but Close, whose failure tells
// nothing that Sync did not.
const (
	Any Op = iota
	OpOpen
	OpRead
	OpWrite
	OpSync
	OpClose
	OpTruncate
	OpRename
	OpRemove
	OpMkdir
	OpReadDir
	OpStat
	OpSyncDir
)

// Fault makes operations fail. A write that fails has written some of its
// bytes, possibly none. A Sync that fails has lost what it did not write: the
// next Sync of the file succeeds without writing it, as on Linux.
type Fault struct {
	Op Op
	// Suffix is how the file's name must end; empty: any name. A rename has
	// the name from which it is made.
	Suffix string
	// After lets so many operations that match succeed first.
	After int
	// Times is how often the fault strikes; 0: until Mend.
	Times int
	// Probability is how likely a matching operation fails; 0: it does.
	Probability float64
	// Err is the error; nil: EIO.
	Err error

	struck int
}

// Inject adds a fault.
func (f *FS) Inject(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
}

// Mend takes all faults away; what they did stays.
func (f *FS) Mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// SetCapacity limits the bytes of all files together: a write that needs more
// writes what fits and fails with ENOSPC. 0: no limit.
func (f *FS) SetCapacity(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.capacity = bytes
}

// begin counts an operation and tells whether it is to fail.
func (f *FS) begin(op Op, name string) error {
	if f.dead {
		return ErrDead
	}
	f.ops++
	if f.stopAt > 0 && f.ops >= f.stopAt {
		f.dead = true
		return ErrDead
	}
	for _, fault := range f.faults {
		if fault.strikes(f, op, name) {
			if fault.Err != nil {
				return fault.Err
			}
			return syscall.EIO
		}
	}
	return nil
}

func (t *Fault) strikes(f *FS, op Op, name string) bool {
	if t.Op != op && (t.Op != Any || op == OpClose) || !strings.HasSuffix(name, t.Suffix) {
		return false
	}
	if t.Times > 0 && t.struck >= t.Times {
		return false
	}
	if t.After > 0 {
		t.After--
		return false
	}
	if t.Probability > 0 && f.rng.Float64() >= t.Probability {
		return false
	}
	t.struck++
	return true
}
