package inspect

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// Totals sums a spool directory up.
type Totals struct {
	Directory     string     `json:"directory"`
	Files         int        `json:"files"`
	Bytes         int64      `json:"bytes"`         // of these files: the room that is used
	OldestWaiting *time.Time `json:"oldestWaiting"` // that the relay is to deliver; null if nothing waits

	Kinds     []KindTotal     `json:"kinds"`
	Listeners []ListenerTotal `json:"listeners"`
}

// KindTotal sums the files of a kind up. Those that were set aside are a kind of
// their own.
type KindTotal struct {
	Kind        string `json:"kind"`
	Files       int    `json:"files"`
	Records     int    `json:"records"`
	Blocks      int    `json:"blocks"`
	Messages    int64  `json:"messages"`
	Undelivered int64  `json:"undelivered"`
	Bytes       int64  `json:"bytes"`
	Damaged     int    `json:"damaged"` // files
}

// ListenerTotal says where a listener's undelivered messages are.
type ListenerTotal struct {
	Listener    string `json:"listener"`
	Journal     int64  `json:"journal"`
	Spool       int64  `json:"spool"`
	DeadLetters int64  `json:"deadLetters"`
	SetAside    int64  `json:"setAside"`
}

const setAside = "set aside"

// Totals counts everything in the directory.
func (d *Dir) Totals() (*Totals, error) {
	files, err := d.Files()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(d.path)
	if err != nil {
		return nil, fmt.Errorf("cannot find the spool directory: %w", err)
	}
	t := &Totals{Directory: path, Listeners: []ListenerTotal{}}
	for _, kind := range []Kind{Journal, Spool, DeadLetter, setAside, Unfinished} {
		t.Kinds = append(t.Kinds, KindTotal{Kind: string(kind)})
	}
	for _, f := range files {
		t.add(f)
	}
	return t, nil
}

func (t *Totals) add(f File) {
	kind := string(f.Kind)
	if f.SetAside {
		kind = setAside
	}
	k := &t.Kinds[slices.IndexFunc(t.Kinds, func(k KindTotal) bool { return k.Kind == kind })]
	k.Files++
	k.Records += f.Records
	k.Blocks += f.Blocks
	k.Messages += f.Messages
	k.Undelivered += f.Undelivered
	k.Bytes += f.Bytes
	if f.State == Damaged || f.State == Unreadable {
		k.Damaged++
	}
	t.Files++
	t.Bytes += f.Bytes
	if f.Undelivered > 0 && (kind == string(Journal) || kind == string(Spool)) && (t.OldestWaiting == nil || f.Begun.Before(*t.OldestWaiting)) {
		t.OldestWaiting = &f.Begun
	}
	for _, s := range f.Listeners {
		l := t.listener(s.Listener)
		switch kind {
		case string(Journal):
			l.Journal += s.Undelivered
		case string(Spool):
			l.Spool += s.Undelivered
		case string(DeadLetter):
			l.DeadLetters += s.Undelivered
		case setAside:
			l.SetAside += s.Undelivered
		}
	}
}

// listener finds a listener's row, or puts one in its place.
func (t *Totals) listener(name string) *ListenerTotal {
	i, ok := slices.BinarySearchFunc(t.Listeners, name, func(l ListenerTotal, name string) int { return cmp.Compare(l.Listener, name) })
	if !ok {
		t.Listeners = slices.Insert(t.Listeners, i, ListenerTotal{Listener: name})
	}
	return &t.Listeners[i]
}
