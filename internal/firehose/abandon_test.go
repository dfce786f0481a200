package firehose

import (
	"errors"
	"os"
	"testing"
	"time"
)

// put appends one call to the stream logs.
func put(s *Server, data string) error {
	_, err := s.put("logs", [][]byte{[]byte(data)})
	return err
}

func TestAnObjectWhoseFilesFailIsLeftToTheNextStartAndAnotherBegun(t *testing.T) {
	dir := t.TempDir()
	var delivered []string
	opts := Options{Dir: dir, Streams: []string{"logs"}, BufferInterval: time.Hour, OnObject: func(o Object) {
		text, err := os.ReadFile(o.Path)
		if err != nil {
			t.Error(err)
		}
		delivered = append(delivered, string(text))
	}}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(s, "before"); err != nil {
		t.Fatal(err)
	}
	// With its file closed, neither writing nor taking back works.
	if err := s.streams["logs"].object.part.Close(); err != nil {
		t.Fatal(err)
	}
	if err := put(s, "refused"); !errors.Is(err, errNotWritten) {
		t.Errorf("put into a file that fails: %v", err)
	}
	if err := put(s, "after"); err != nil {
		t.Errorf("put after it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if s, err = New(opts); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(delivered) != 2 || delivered[0] != "after" || delivered[1] != "before" {
		t.Errorf("delivered %q", delivered)
	}
}
