package spool

import (
	"slices"
	"strings"
	"time"
)

// progress is how far a record has come in this process.
type progress uint8

const (
	waiting  progress = iota // Take may give it out
	taken                    // given out
	settling                 // being marked as delivered or dead
	done                     // delivered, dead or damaged
)

// record is what is kept in memory of each record on disk, and no more: after
// an outage of a day there may be millions.
type record struct {
	offset   int64
	size     uint32 // header, listener and data
	data     uint32 // data alone
	events   uint32
	index    uint32 // in the file
	listener uint32 // in Spool.listeners
	progress progress
	failures uint8 // reads that failed
}

// file is a published file whose records are offered.
type file struct {
	name    string
	path    string
	size    int64
	salt    uint32 // of its records' checksums
	created time.Time
	records []record
	next    int  // no record before this one waits
	waits   int  // records that wait
	left    int  // records that are not done
	damaged bool // to be set aside, not removed
}

// find returns a record's place in records, or -1.
func (f *file) find(index int) int {
	if index >= 0 && index < len(f.records) && f.records[index].index == uint32(index) {
		return index // no gap before it
	}
	i, ok := slices.BinarySearchFunc(f.records, index, func(r record, index int) int { return int(r.index) - index })
	if !ok {
		return -1
	}
	return i
}

// queue decides the order in which records are offered: by file name, which
// begins with the time, then by their place in the file. While there is a
// backlog, some of what is given out is of the newest file instead: after an
// outage of hours somebody looks at what happens now, and must not wait until
// all that was before is delivered. It belongs to the spool's lock.
type queue struct {
	files []*file // sorted by name
	first int     // no file before this one has records that wait
	turn  int     // counts what was given out while there is a backlog
}

// A file that waits for longer than backlogAge is a backlog, and then every
// newestEvery-th turn is the newest file's: a quarter of what the stream takes
// brings what comes in now, and three quarters work off the backlog.
const (
	backlogAge  = 5 * time.Minute
	newestEvery = 4
)

func (q *queue) find(name string) (int, bool) {
	return slices.BinarySearchFunc(q.files, name, func(f *file, name string) int { return strings.Compare(f.name, name) })
}

func (q *queue) insert(f *file) {
	i, _ := q.find(f.name)
	q.files = slices.Insert(q.files, i, f)
	q.first = min(q.first, i)
}

func (q *queue) remove(f *file) {
	i, ok := q.find(f.name)
	if !ok {
		return
	}
	q.files = slices.Delete(q.files, i, i+1)
	if i < q.first {
		q.first--
	}
}

// giveBack makes a record wait again.
func (q *queue) giveBack(f *file, i int) {
	f.records[i].progress = waiting
	f.waits++
	f.next = min(f.next, i)
	if at, ok := q.find(f.name); ok {
		q.first = min(q.first, at)
	}
}

// pick is a record in a file.
type pick struct {
	file *file
	i    int
}

func (p pick) record() *record { return &p.file.records[p.i] }

// take gives out records, the oldest mostly: one, and more as long as there are
// no more than maxRecords with no more than maxBytes of data.
func (q *queue) take(maxRecords, maxBytes int, now time.Time) []pick {
	h := hand{records: maxRecords, bytes: maxBytes}
	for q.first < len(q.files) && q.files[q.first].waits == 0 {
		q.first++
	}
	if q.newestFirst(now) {
		for i := len(q.files) - 1; i >= q.first && h.fill(q.files[i]); i-- {
		}
		return h.picks
	}
	for i := q.first; i < len(q.files) && h.fill(q.files[i]); i++ {
	}
	return h.picks
}

// newestFirst tells whether it is the newest file's turn.
func (q *queue) newestFirst(now time.Time) bool {
	if q.first == len(q.files) || now.Sub(q.files[q.first].created) < backlogAge {
		q.turn = 0
		return false
	}
	q.turn++
	return q.turn%newestEvery == 0
}

// oldestIdle is the oldest file with records that wait and none that is taken,
// or nil.
func (q *queue) oldestIdle() *file {
	for _, f := range q.files[q.first:] {
		if f.waits > 0 && f.waits == f.left {
			return f
		}
	}
	return nil
}

// hand is what is given out at once.
type hand struct {
	records, bytes int // how much may be in it
	picks          []pick
	held           int // bytes
}

// fill takes what waits in a file, in its order, and reports whether there is
// room for more.
func (h *hand) fill(f *file) bool {
	for ; f.waits > 0; f.next++ {
		r := &f.records[f.next]
		if r.progress != waiting {
			continue
		}
		if len(h.picks) > 0 && (len(h.picks) >= h.records || h.held+int(r.data) > h.bytes) {
			return false
		}
		h.held += int(r.data)
		r.progress = taken
		f.waits--
		h.picks = append(h.picks, pick{f, f.next})
	}
	return true
}
