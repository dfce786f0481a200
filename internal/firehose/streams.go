package firehose

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// definitionFile holds a stream's definition, in the stream's directory. It is
// there as long as the stream is.
const definitionFile = ".stream.json"

// definition is what a stream was created with.
type definition struct {
	Created     time.Time
	Destination *s3Configuration `json:",omitempty"` // nil if none was given
}

// stream is a delivery stream and the object that its records go to.
type stream struct {
	name, dir string
	definition
	bufferBytes    int64
	bufferInterval time.Duration

	mu     sync.Mutex
	closed error   // what puts are answered once the stream is deleted or the server shut down
	object *object // nil if nothing is buffered
}

// lookup returns the stream of a name, and makes it if that was asked for.
func (s *Server) lookup(name string) (*stream, error) {
	s.mu.RLock()
	st := s.streams[name]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	if !s.opts.AutoCreate {
		return nil, s.errNotFound(name)
	}
	st, err := s.create(name, definition{})
	if isCode(err, codeInUse) { // made by another call in the meantime
		return s.lookup(name)
	}
	return st, err
}

// create makes a stream. It exists after a restart too.
func (s *Server) create(name string, d definition) (*stream, error) {
	var v validation
	v.streamName("deliveryStreamName", &name)
	if err := v.err(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, ".") {
		return nil, invalidArgument("The embedded Firehose keeps streams in directories and has none whose names begin with a dot: %s", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errShuttingDown
	case s.streams[name] != nil:
		return nil, s.errInUse(name)
	case len(s.streams) >= s.opts.MaxStreams:
		return nil, errLimit(s.opts.MaxStreams, slices.Sorted(maps.Keys(s.streams)))
	}
	d.Created = time.Now().UTC()
	dir := filepath.Join(s.opts.Dir, name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the directory of stream %s: %w", name, err)
	}
	text, err := json.Marshal(d)
	if err == nil {
		err = writeFile(filepath.Join(dir, definitionFile), text)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the definition of stream %s: %w", name, err)
	}
	return s.add(name, d), nil
}

// add makes a stream known. s.mu must be held, or the server be new.
func (s *Server) add(name string, d definition) *stream {
	st := &stream{
		name:           name,
		dir:            filepath.Join(s.opts.Dir, name),
		definition:     d,
		bufferBytes:    s.opts.BufferBytes,
		bufferInterval: s.opts.BufferInterval,
	}
	if d.Destination != nil {
		hints := d.Destination.BufferingHints
		if hints.SizeInMBs != nil {
			st.bufferBytes = int64(*hints.SizeInMBs) << 20
		}
		if hints.IntervalInSeconds != nil {
			st.bufferInterval = time.Duration(*hints.IntervalInSeconds) * time.Second
		}
	}
	s.streams[name] = st
	return st
}

// remove deletes a stream. What it holds is delivered, and its objects stay.
func (s *Server) remove(name string) error {
	s.mu.Lock()
	st := s.streams[name]
	switch {
	case s.closed:
		s.mu.Unlock()
		return errShuttingDown
	case st == nil:
		s.mu.Unlock()
		return s.errNotFound(name)
	}
	err := os.Remove(filepath.Join(st.dir, definitionFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.mu.Unlock()
		return fmt.Errorf("deleting stream %s: %w", name, err)
	}
	delete(s.streams, name)
	s.mu.Unlock()
	// A failure to deliver is logged; the next start will try again.
	_ = s.close(st, s.errNotFound(name))
	return nil
}

// take appends the records of a call to the stream's object, and delivers it if
// it is full. On return without an error the records survive a kill.
func (s *Server) take(st *stream, records [][]byte, bytes int64, now time.Time) error {
	st.mu.Lock()
	if closed := st.closed; closed != nil || bytes == 0 { // no bytes: nothing for an object to hold
		st.mu.Unlock()
		return closed
	}
	if st.object == nil {
		o, err := newObject(st, now, records)
		if err != nil {
			st.mu.Unlock()
			s.opts.Logger.Error("beginning an object", "stream", st.name, "error", err)
			return errNotWritten
		}
		o.timer = time.AfterFunc(st.bufferInterval, func() { s.expire(st, o) })
		st.object = o
	}
	err := st.object.append(records, bytes)
	if err != nil {
		s.opts.Logger.Error("writing records", "stream", st.name, "error", err)
		if errors.Is(err, errAbandoned) {
			st.object.timer.Stop()
			st.object = nil // its files are left to the next start
		}
		st.mu.Unlock()
		return errNotWritten
	}
	var full *object
	if st.object.acked.length >= st.bufferBytes || st.bufferInterval == 0 {
		full = s.detach(st)
	}
	st.mu.Unlock()
	if full != nil {
		// The call that fills an object delivers it, so that producers go no
		// faster than the disk. Its records are safe whether this fails or not.
		_ = s.deliver(full)
	}
	return nil
}

// expire delivers an object whose time has come.
func (s *Server) expire(st *stream, o *object) {
	st.mu.Lock()
	if st.object != o {
		st.mu.Unlock()
		return
	}
	o = s.detach(st)
	st.mu.Unlock()
	_ = s.deliver(o) // logged and counted there
}

// close answers later puts with why, and delivers what the stream holds.
func (s *Server) close(st *stream, why error) error {
	st.mu.Lock()
	st.closed = why
	o := s.detach(st)
	st.mu.Unlock()
	if o == nil {
		return nil
	}
	return s.deliver(o)
}

// detach takes the object out of its stream. st.mu must be held, and deliver be
// called with what is returned, if anything is.
func (s *Server) detach(st *stream) *object {
	o := st.object
	if o != nil {
		s.publishing.Add(1)
		st.object = nil
		o.timer.Stop()
	}
	return o
}

// deliver makes a detached object appear, and reports it.
func (s *Server) deliver(o *object) error {
	defer s.publishing.Done()
	if o.acked.length == 0 { // its only calls failed, and were told so
		return o.discard()
	}
	return s.report(o.publish())
}

func (s *Server) report(o Object, err error) error {
	s.counts.object(o, err)
	if err != nil {
		s.opts.Logger.Error("delivering an object; the next start will try again", "stream", o.Stream, "object", o.Path, "error", err)
		return fmt.Errorf("delivering %s: %w", o.Path, err)
	}
	s.opts.Logger.Debug("object delivered", "stream", o.Stream, "object", o.Path, "bytes", o.Bytes, "records", o.Records)
	s.opts.OnObject(o)
	return nil
}
