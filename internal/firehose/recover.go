package firehose

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	nameTime   = "2006-01-02-15-04-05"
	gzipSuffix = ".gz"
	uuidLength = 36
)

// recoverStreams finds the streams that an earlier process made in the directory, and
// finishes the objects it left. A damaged file is set aside and logged, and what
// is not named as this package names things is left alone: it may be anybody's.
// Only a directory that cannot be read or written is an error.
func (s *Server) recoverStreams() error {
	entries, err := os.ReadDir(s.opts.Dir)
	if err != nil {
		return fmt.Errorf("looking for streams: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || !namePattern.MatchString(e.Name()) {
			continue
		}
		if err := s.recoverStream(e.Name()); err != nil {
			return fmt.Errorf("taking up stream %s: %w", e.Name(), err)
		}
	}
	return nil
}

func (s *Server) recoverStream(name string) error {
	dir := filepath.Join(s.opts.Dir, name)
	d, err := readDefinition(filepath.Join(dir, definitionFile))
	switch {
	case err == nil:
		s.add(name, d)
	case !errors.Is(err, fs.ErrNotExist):
		s.opts.Logger.Error("the stream's definition cannot be read, so the stream does not exist; create it again", "stream", name, "error", err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrPermission) {
		s.opts.Logger.Warn("a directory that may be a stream's cannot be read; it is left alone", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		file, hidden := strings.CutPrefix(e.Name(), ".")
		suffix := filepath.Ext(file)
		object := strings.TrimSuffix(file, suffix)
		begun, ok := nameBegun(name, object)
		if !hidden || !ok {
			continue
		}
		switch suffix {
		case partSuffix:
			err = s.recoverObject(name, object, begun)
		case callsSuffix:
			// A part file that is gone was delivered, or nothing was ever in it.
			if _, err = os.Lstat(filepath.Join(dir, "."+object+partSuffix)); errors.Is(err, fs.ErrNotExist) {
				err = os.Remove(filepath.Join(dir, e.Name()))
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func readDefinition(path string) (d definition, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err == nil && d.Destination != nil {
		var v validation
		d.Destination.validate(&v, "Destination")
		err = v.err()
	}
	return d, err
}

// recoverObject finishes an object. What lies behind its last checkpoint was
// never acknowledged and is dropped. What lies before it and does not have the
// checksum it should, after a power cut, is set aside as .NAME.bad.
func (s *Server) recoverObject(stream, name string, begun time.Time) error {
	o := &object{stream: stream, dir: filepath.Join(s.opts.Dir, stream), name: name, begun: begun}
	log := s.opts.Logger.With("stream", stream, "object", name)
	calls, err := os.ReadFile(o.hidden(callsSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		log.Error("an unfinished object has no checkpoints; it is set aside", "as", o.hidden(badSuffix))
		return os.Rename(o.hidden(partSuffix), o.hidden(badSuffix))
	}
	if err != nil {
		return err
	}
	if o.part, err = os.OpenFile(o.hidden(partSuffix), os.O_RDWR, 0); err != nil {
		return err
	}
	if o.calls, err = os.OpenFile(o.hidden(callsSuffix), os.O_RDWR, 0); err != nil {
		return errors.Join(err, o.part.Close())
	}
	acknowledged, err := o.verify(calls)
	if err == nil {
		err = o.cut(acknowledged, log.Error)
	}
	if err != nil {
		return errors.Join(err, o.part.Close(), o.calls.Close())
	}
	if o.acked.length == 0 {
		return o.discard()
	}
	log.Info("finishing an object that an earlier process left", "bytes", o.acked.length, "records", o.acked.records)
	_ = s.report(o.publish()) // logged and counted there; the next start will try again
	return nil
}

// verify sets o.acked to the last checkpoint that the part file bears out, and
// returns how much of the part file belongs to acknowledged calls.
func (o *object) verify(calls []byte) (acknowledged int64, err error) {
	sum := crc32.New(castagnoli)
	intact := true
	for ; len(calls) >= checkpointSize; calls = calls[checkpointSize:] {
		c, ok := parseCheckpoint(calls[:checkpointSize])
		if !ok || c.length < acknowledged {
			// Checkpoints are written at once, so this one is not torn but damaged,
			// and nobody knows what else was acknowledged.
			info, err := o.part.Stat()
			if err != nil {
				return 0, err
			}
			return info.Size(), nil
		}
		if intact {
			_, err := io.CopyN(sum, o.part, c.length-acknowledged)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			if intact = err == nil && sum.Sum32() == c.sum; intact {
				o.acked = c
			}
		}
		acknowledged = c.length
	}
	return acknowledged, nil
}

// cut ends the part file at o.acked. It keeps what was acknowledged and is
// damaged in a file of its own.
func (o *object) cut(acknowledged int64, complain func(string, ...any)) error {
	info, err := o.part.Stat()
	if err != nil {
		return err
	}
	if acknowledged > o.acked.length {
		complain("acknowledged records of an unfinished object are damaged; what is left of them is set aside",
			"as", o.hidden(badSuffix), "bytes", acknowledged-o.acked.length)
	}
	// There is nothing to set aside if an earlier start got as far as cutting.
	if min(acknowledged, info.Size()) > o.acked.length {
		bad, err := os.Create(o.hidden(badSuffix))
		if err != nil {
			return err
		}
		_, err = io.Copy(bad, io.NewSectionReader(o.part, o.acked.length, acknowledged-o.acked.length))
		if err = errors.Join(err, bad.Sync(), bad.Close()); err != nil {
			return err
		}
	}
	return o.part.Truncate(o.acked.length)
}

// nameBegun returns the time in an object's name.
func nameBegun(stream, name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(name, gzipSuffix), stream+"-1-")
	if !ok || len(rest) != len(nameTime)+1+uuidLength {
		return time.Time{}, false
	}
	begun, err := time.Parse(nameTime, rest[:len(nameTime)])
	return begun, err == nil
}
