package inspect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what a file is for.
type Kind string

// The kinds of files.
const (
	Journal    Kind = "journal"     // messages as they came
	Spool      Kind = "spool"       // records that wait for Firehose
	DeadLetter Kind = "dead letter" // a record that Firehose refused
	Unfinished Kind = "unfinished"  // was being written; its messages are elsewhere
)

// State is what becomes of a file.
type State string

// The states of files.
const (
	Waiting    State = "waiting"    // is delivered by the relay
	Delivered  State = "delivered"  // all of it was: it is removed at the next start
	Converted  State = "converted"  // a journal file whose records are in the spool: likewise
	Dead       State = "dead"       // stays until somebody retries or discards it
	Damaged    State = "damaged"    // what is whole in it is delivered, or was
	Leftover   State = "unfinished" // is removed when it is done, or at the next start
	Replayed   State = "replayed"   // was set aside, and then put back
	Unreadable State = "unreadable" // the disk does not give it, or a newer version wrote it
)

// File tells what is known of a file without reading the records' data.
type File struct {
	Name        string    `json:"name"` // in the directory; of a file from elsewhere its path
	Path        string    `json:"-"`
	Kind        Kind      `json:"kind"`
	SetAside    bool      `json:"setAside"` // renamed to .bad because of damage
	State       State     `json:"state"`
	Begun       time.Time `json:"begun"`
	Bytes       int64     `json:"bytes"`
	Records     int       `json:"records"`
	Blocks      int       `json:"blocks"` // of a journal file
	Messages    int64     `json:"messages"`
	Undelivered int64     `json:"undelivered"` // messages that Firehose has not got from this file or its successor
	Listeners   []Share   `json:"listeners"`
	Reason      string    `json:"reason,omitempty"` // of a dead letter
	Damage      []Damage  `json:"damage,omitempty"`

	stem    string // generation and shard; of a dead letter also the index
	foreign bool   // given by a path that is not in the directory
}

// Share is what a file holds of one listener.
type Share struct {
	Listener    string `json:"listener"`
	Messages    int64  `json:"messages"`
	Undelivered int64  `json:"undelivered"`
}

// Damage is a place that cannot be read.
type Damage struct {
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	What   string `json:"what"`
}

// String is one line for people.
func (d Damage) String() string {
	return fmt.Sprintf("offset %d, %d bytes: %s", d.Offset, d.Bytes, d.What)
}

// add counts messages.
func (f *File) add(listener string, messages, undelivered int64) {
	f.Messages += messages
	f.Undelivered += undelivered
	i := slices.IndexFunc(f.Listeners, func(s Share) bool { return s.Listener == listener })
	if i < 0 {
		i = len(f.Listeners)
		f.Listeners = append(f.Listeners, Share{Listener: listener})
	}
	f.Listeners[i].Messages += messages
	f.Listeners[i].Undelivered += undelivered
}

// The ends of the names of files.
const (
	bad      = ".bad"
	replayed = ".replayed"
	deadDir  = "dead"
)

// named makes a File of what its name tells.
func named(path string) (f File, ok bool) {
	stem, suffix, _ := strings.Cut(filepath.Base(path), ".")
	at, ok := begun(stem)
	if !ok {
		return f, false
	}
	f = File{Name: path, Path: path, Begun: at, State: Waiting, stem: stem}
	rest := "." + suffix
	for strings.HasSuffix(rest, replayed) {
		rest = strings.TrimSuffix(rest, replayed)
		f.State = Replayed
	}
	rest, f.SetAside = strings.CutSuffix(rest, bad)
	switch rest {
	case ".journal":
		f.Kind = Journal
	case ".spool":
		f.Kind = Spool
	case ".dead":
		f.Kind = DeadLetter
	case ".part", ".dead.part":
		f.Kind = Unfinished
	default:
		return f, false
	}
	return f, true
}

// begun is when a generation began, by its number.
func begun(stem string) (time.Time, bool) {
	ms, shard, _ := strings.Cut(stem, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if len(ms) != 16 || err != nil || len(shard) < 3 || strings.Trim(shard, "0123456789-") != "" {
		return time.Time{}, false
	}
	return time.UnixMilli(n).UTC(), true
}
