package spool

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
	"kinesyslog/internal/vfs"
)

// Budget is the room on disk that journal and spool share. Use and Free are
// told the bytes of files as they grow and go, and may be called at any time.
type Budget interface {
	Use(bytes int64)
	Free(bytes int64)
}

// Options is what Open needs; all of it is required.
type Options struct {
	Dir        string // exists, and no other process uses it
	FS         vfs.FS
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Budget     Budget
}

// Spool holds records on disk. All methods may be called at the same time.
type Spool struct {
	dir     string
	fs      vfs.FS
	ledger  *ledger.Ledger
	log     *slog.Logger
	metrics *metrics
	budget  Budget

	mu        sync.Mutex
	queue     queue
	files     map[string]*file // those in the queue
	kept      map[string]int64 // published, but not offered: their size
	writing   map[string]bool
	listeners names
	stats     Stats
	wake      chan struct{} // closed when records begin to wait, and at Close
	closed    bool

	opening  sync.Mutex // guards deadOpen; not mu, because it is held during I/O
	deadOpen bool       // dead/ is there, durably
}

// Stats tells what is held. Dead letters count in their own fields only.
type Stats struct {
	Files       int
	Records     int       // that are neither delivered nor given up
	Events      int64     // messages in them
	Bytes       int64     // of the files, with what is delivered of them
	Oldest      time.Time // when the oldest file was begun; zero if there is none
	DeadLetters int
	DeadBytes   int64
}

// Stats returns what is held now.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Files = len(s.files)
	if st.Files > 0 {
		st.Oldest = s.queue.files[0].created
	}
	return st
}

// Has tells whether <name>.spool is published and could be read: then its
// records are durable, and the journal file that they were made from must be
// dropped, not replayed. It is meant for start-up; a file that is all delivered
// is gone.
func (s *Spool) Has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, kept := s.kept[name]
	return kept || s.files[name] != nil
}

// Close lets Take end once nothing waits. Nothing needs to be flushed; the
// other methods go on working.
func (s *Spool) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
}

// signal wakes those that wait in Take. Called with the lock.
func (s *Spool) signal() {
	close(s.wake)
	s.wake = make(chan struct{})
}

// offer puts a file into the queue. Called with the lock.
func (s *Spool) offer(f *file) {
	for i := range f.records {
		if r := &f.records[i]; r.progress == waiting {
			f.waits++
			s.stats.Records++
			s.stats.Events += int64(r.events)
		}
	}
	f.left = f.waits
	s.stats.Bytes += f.size
	s.files[f.name] = f
	s.queue.insert(f)
	s.signal()
}

func (s *Spool) path(name, suffix string) string { return filepath.Join(s.dir, name+suffix) }

// createNew makes a file for writing, never one that was there: its fsync may
// have failed.
func (s *Spool) createNew(path string) (f vfs.File, err error) {
	for range 2 {
		f, err = s.fs.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		if info, e := s.fs.Stat(path); e == nil {
			s.discard(path, info.Size())
		}
	}
	return nil, err
}

// discard removes a file that was not finished. Where that fails it is set
// aside, and where that fails too the next Open tries again.
func (s *Spool) discard(path string, size int64) {
	err := s.fs.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		s.budget.Free(size)
		return
	}
	err = errors.Join(err, s.fs.Rename(path, path+setAside))
	s.log.Warn("an unfinished file cannot be removed from the spool; what is in it is kept elsewhere",
		slog.String("file", path), slog.Any("error", err))
}

// names gives listeners numbers, which are smaller.
type names struct {
	list   []string
	number map[string]uint32
}

func (n *names) of(name string) uint32 {
	i, ok := n.number[name]
	if !ok {
		i = uint32(len(n.list))
		n.list = append(n.list, name)
		if n.number == nil {
			n.number = map[string]uint32{}
		}
		n.number[name] = i
	}
	return i
}
