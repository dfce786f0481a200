package inspect

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"

	"kinesyslog/internal/event"
	"kinesyslog/internal/vfs"
)

// part ends the name of an object that is being written.
const part = ".part"

// object is made when it gets its first record.
type object struct {
	told Object
	open func() (path string, err error)
	path string
	f    *os.File
	out  *bufio.Writer
	err  error // what ended it
}

// Append adds a record.
func (w *object) Append(r event.Record) error {
	if w.f == nil && w.err == nil {
		w.create()
	}
	if w.err == nil {
		_, w.err = w.out.Write(r.Data)
	}
	if w.err != nil {
		return w.err
	}
	w.told.Records++
	w.told.Messages += int64(r.Events)
	w.told.Bytes += int64(len(r.Data))
	return nil
}

func (w *object) create() {
	if w.path, w.err = w.open(); w.err != nil {
		return
	}
	if w.f, w.err = os.Create(w.path + part); w.err == nil {
		w.out = bufio.NewWriterSize(w.f, 256<<10)
	}
}

// close makes the object durable under its name. One without records is none.
func (w *object) close() error {
	if w.f == nil || w.err != nil {
		return w.err
	}
	err := w.out.Flush()
	if err == nil {
		err = w.f.Sync()
	}
	if err = errors.Join(err, w.f.Close()); err == nil {
		err = os.Rename(w.path+part, w.path)
	}
	if err != nil {
		return err
	}
	w.told.Path = w.path
	return vfs.OS{}.SyncDir(filepath.Dir(w.path))
}

// abort leaves nothing of an object that is not closed.
func (w *object) abort() {
	if w.f != nil {
		_ = w.f.Close() // what is in it is not wanted
		_ = os.Remove(w.path + part)
		w.f = nil
	}
	w.told.Records = 0
}
