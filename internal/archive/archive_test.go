package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/cwl"
)

const uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

// record makes a record whose events are messages.
func record(t *testing.T, messages ...string) []byte {
	t.Helper()
	b, err := cwl.NewBuilder(6)
	if err != nil {
		t.Fatal(err)
	}
	b.Open("123456789012", "group", "stream")
	for i, message := range messages {
		id := cwl.NewID(1, 2, 3)
		id.Set(uint64(i))
		b.Add(&id, 1763797000123, nil, []byte(message))
	}
	data, err := b.Close()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(data)
}

// write puts files into a new directory, modified one minute after another in
// the order given.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, record(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
		modified := time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC)
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, options Options, paths ...string) *Archive {
	t.Helper()
	a, err := Open(t.Context(), options, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// read lists what an archive yields: messages, and "!" with the error.
func read(t *testing.T, a *Archive) []string {
	t.Helper()
	var got []string
	for event, err := range a.Events(t.Context()) {
		if err != nil {
			got = append(got, "!"+err.Error())
			continue
		}
		got = append(got, event.Message)
	}
	return got
}

func TestObjectsAreReadInTheOrderOfTheTimeInTheirNames(t *testing.T) {
	third := "2026/02/03/04/s-1-2026-02-03-04-05-06-" + uuid + ".gz"
	second := "2026/02/03/03/a.stream-1-2026-02-03-03-59-59-" + uuid + ".json.gz"
	first := "z/s-1-2026-02-03-03-59-58-" + uuid
	dir := write(t, third, second, first)
	if diff := cmp.Diff([]string{first, second, third}, read(t, open(t, Options{}, dir))); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsWithoutTimeInTheirNamesAreReadAsTheyWereModified(t *testing.T) {
	before := "s-1-2025-12-31-23-59-59-" + uuid + ".gz"
	after := "s-1-2026-01-01-00-01-30-" + uuid + ".gz"
	names := []string{"c.gz", "s-1-2026-13-01-00-00-00-" + uuid + ".gz", "sub/a", after, before}
	want := []string{before, names[0], names[1], after, names[2]}
	if diff := cmp.Diff(want, read(t, open(t, Options{}, write(t, names...)))); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsOfOneSecondAreReadAsTheyWereModified(t *testing.T) {
	later := "s-1-2026-02-03-04-05-06-ffffffff-4e5f-6071-8293-a4b5c6d7e8f9.gz"
	dir := write(t, later, "s-1-2026-02-03-04-05-06-"+uuid+".gz")
	got := read(t, open(t, Options{}, dir))
	if diff := cmp.Diff([]string{later, "s-1-2026-02-03-04-05-06-" + uuid + ".gz"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHiddenAndUnfinishedFilesAreSkippedUnlessNamed(t *testing.T) {
	dir := write(t, ".hidden", ".git/object", "object.part", "sub/.x.gz", "sub/seen")
	if diff := cmp.Diff([]string{"sub/seen"}, read(t, open(t, Options{}, dir))); diff != "" {
		t.Error(diff)
	}
	named := filepath.Join(dir, "object.part")
	if diff := cmp.Diff([]string{"object.part"}, read(t, open(t, Options{}, named))); diff != "" {
		t.Error(diff)
	}
	hidden := filepath.Join(dir, ".git")
	if diff := cmp.Diff([]string{".git/object"}, read(t, open(t, Options{}, hidden))); diff != "" {
		t.Error(diff)
	}
}

func TestLinksToFilesAndToTheDirectoryNamedAreFollowed(t *testing.T) {
	dir, other := write(t, "a"), write(t, "b")
	if err := os.Symlink(filepath.Join(other, "b"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	os.Symlink(filepath.Join(other, "gone"), filepath.Join(dir, "dangling"))
	os.Symlink(dir, filepath.Join(dir, "loop"))
	link := filepath.Join(t.TempDir(), "dir")
	os.Symlink(dir, link)
	if diff := cmp.Diff([]string{"a", "b"}, read(t, open(t, Options{}, link))); diff != "" {
		t.Error(diff)
	}
}

func TestStandardInputIsReadLast(t *testing.T) {
	dir := write(t, "file")
	options := Options{Stdin: bytes.NewReader(record(t, "from standard input"))}
	want := []string{"file", "from standard input"}
	if diff := cmp.Diff(want, read(t, open(t, options, "-", dir))); diff != "" {
		t.Error(diff)
	}
}

func TestDamageIsReportedWithPathAndOffsetAndReadingGoesOn(t *testing.T) {
	dir := t.TempDir()
	bad, good := record(t, "bad"), record(t, "good")
	object := bytes.Join([][]byte{good, bad[:len(bad)-4], good}, nil)
	damaged, sound := filepath.Join(dir, "damaged"), filepath.Join(dir, "sound")
	for path, data := range map[string][]byte{damaged: object, sound: good} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Chtimes(damaged, time.Unix(1, 0), time.Unix(1, 0))
	var damage *DamageError
	messages := 0
	for event, err := range open(t, Options{}, dir).Events(t.Context()) {
		switch {
		case err == nil && event.Message == "good":
			messages++
		case err == nil:
			t.Errorf("unexpected event %v", event)
		case damage != nil || !errors.As(err, &damage):
			t.Errorf("unexpected error %v", err)
		}
	}
	if messages != 3 {
		t.Errorf("%d events, want 3", messages)
	}
	if damage == nil || damage.Path != damaged || damage.Offset != int64(len(good)) {
		t.Errorf("damage: %v, want it at byte %d of %s", damage, len(good), damaged)
	}
}

func TestObjectThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	dir := write(t, "a", "b")
	a := open(t, Options{Stdin: iotest.ErrReader(errors.New("broken pipe"))}, "-", dir)
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	got := read(t, a)
	if len(got) != 3 || !strings.HasPrefix(got[0], "!opening "+filepath.Join(dir, "a")) || got[1] != "b" ||
		got[2] != "!reading standard input: broken pipe" {
		t.Errorf("got %q", got)
	}
	var damage *DamageError
	for _, err := range a.Events(t.Context()) {
		if errors.As(err, &damage) {
			t.Errorf("reported as damage: %v", err)
		}
	}
}

func TestPathThatDoesNotExistIsAnError(t *testing.T) {
	_, err := Open(t.Context(), Options{}, filepath.Join(t.TempDir(), "nowhere"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyDirectoryHasNoObjects(t *testing.T) {
	a := open(t, Options{}, t.TempDir())
	if a.Objects() != 0 || len(read(t, a)) != 0 {
		t.Errorf("%d objects, want none", a.Objects())
	}
}

func TestControlMessagesAreLeftOutAndEventsKnowTheirDocument(t *testing.T) {
	object := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],` +
		`"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}` + "\n" +
		`{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[` +
		`{"id":"7","timestamp":5,"message":"m","extractedFields":{"a":"b"}}]}` + "\n"
	var got []Event
	for event, err := range open(t, Options{Stdin: strings.NewReader(object)}, "-").Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
	}
	want := []Event{{ID: "7", Timestamp: 5, Message: "m", LogGroup: "g", LogStream: "s", Owner: "1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIterationStopsWhenToldAndFilesAreClosed(t *testing.T) {
	closed := 0
	data := append(record(t, "1", "2"), record(t, "3")...)
	source := object{path: "o", open: func(context.Context) (io.ReadCloser, error) {
		return closer{bytes.NewReader(data), &closed}, nil
	}}
	a := &Archive{objects: []object{source, source}}
	for stop := 1; stop <= 6; stop++ {
		seen := 0
		for range a.Events(t.Context()) {
			if seen++; seen == stop {
				break
			}
		}
		if seen != stop {
			t.Errorf("%d events, want %d", seen, stop)
		}
	}
	if want := 3 + 3*2; closed != want {
		t.Errorf("%d objects closed, want %d", closed, want)
	}
}

type closer struct {
	io.Reader
	closed *int
}

func (c closer) Close() error {
	*c.closed++
	return nil
}

func TestEndOfContextEndsTheIterationWithItsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	data := append(record(t, "1", "2"), record(t, "3")...)
	a := open(t, Options{Stdin: bytes.NewReader(data)}, "-", write(t, "first"))
	var got []string
	for event, err := range a.Events(ctx) {
		got = append(got, fmt.Sprint(event.Message, err))
		if event.Message == "1" {
			cancel()
		}
	}
	if diff := cmp.Diff([]string{"first<nil>", "1<nil>", "2<nil>", "context canceled"}, got); diff != "" {
		t.Error(diff)
	}
}
