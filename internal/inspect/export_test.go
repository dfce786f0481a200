package inspect

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/batch"
	"kinesyslog/internal/event"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/vfs"
)

// convert makes records as a relay does.
func convert(t *testing.T) func(*journal.File, interface{ Append(event.Record) error }) error {
	t.Helper()
	maker, err := batch.NewMaker(batch.Options{
		GroupPrefix: "/k", Owner: func() string { return "123456789012" }, Level: 6,
		Rules: batch.Rules{Bare: true}, Registerer: prometheus.NewRegistry(),
	})
	must(t, err)
	c, err := maker.New()
	must(t, err)
	return func(f *journal.File, out interface{ Append(event.Record) error }) error { return c.Convert(f, f, out) }
}

// exported is what is in the objects below a directory: texts with their ids.
func exported(t *testing.T, to string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	a, err := archive.Open(t.Context(), archive.Options{}, to)
	must(t, err)
	for e, err := range a.Events(t.Context()) {
		must(t, err)
		out[e.Message] = append(out[e.Message], e.ID)
	}
	return out
}

func TestWhatIsUndeliveredIsExportedOnceWithTheIdsItIsDeliveredWith(t *testing.T) {
	s := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	s.publish("a", "b", "c")
	s.settle([]string{"a"}, []string{"b"})
	aside := s.publish("d")
	must(t, os.Rename(s.path(aside+".spool"), s.path(aside+".spool.bad")))
	s.receive("e", "f")
	d := s.inspect()
	to := filepath.Join(t.TempDir(), "new", "directory")
	files, err := d.Holding()
	must(t, err)
	before := snapshot(t, s.dir)
	objects := 0
	for range 2 { // the second time the same objects are written
		objects = 0
		for o, err := range d.Export(files, ExportOptions{To: to, Convert: convert(t)}) {
			must(t, err)
			objects++
			if info, err := os.Stat(o.Path); err != nil || info.Size() != o.Bytes || !strings.HasPrefix(o.Path, filepath.Join(to, o.File.Begun.Format("2006/01/02/15"))) {
				t.Errorf("%+v, %v", o, err)
			}
		}
	}
	if objects != 4 {
		t.Errorf("%d objects, want one for each file", objects)
	}
	got := exported(t, to)
	if diff := cmp.Diff(before, snapshot(t, s.dir)); diff != "" {
		t.Errorf("export changed the directory: %s", diff)
	}
	want := s.waiting()
	want["b"], want["d"] = ids(1, "", "b")["b"], ids(2, "d")["d"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	to = t.TempDir()
	for _, err := range d.Export(files, ExportOptions{To: to, Delivered: true, Convert: convert(t)}) {
		must(t, err)
	}
	want["a"] = ids(1, "a")["a"]
	if diff := cmp.Diff(want, exported(t, to)); diff != "" {
		t.Error(diff)
	}
}

func TestExportGoesOnAfterDamageAndStopsWhereNothingCanBeWritten(t *testing.T) {
	s, disk := newSite(t)
	stem := s.publish("a", "b")
	journalFile := s.receive("c", "d")
	info, err := disk.Stat(s.path(stem + ".spool"))
	must(t, err)
	must(t, disk.FlipBit(s.path(stem+".spool"), (64+(info.Size()-96)/4)*8))
	must(t, disk.FlipBit(s.path(journalFile), (32+45)*8))
	to := t.TempDir()
	var failed []error
	for _, err := range s.inspect().Export(s.files(), ExportOptions{To: to, Convert: convert(t)}) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) != 2 {
		t.Errorf("damage: %v", failed)
	}
	got := exported(t, to)
	if len(got) != 2 || got["b"] == nil || got["d"] == nil {
		t.Errorf("exported: %v", got)
	}

	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	n := 0
	for o, err := range s.inspect().Export(s.files(), ExportOptions{To: file, Convert: convert(t)}) {
		n++
		if o.Path != "" || err == nil {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if n != 2 { // the damage of the first file, and the end
		t.Errorf("%d errors", n)
	}
}

func TestAJournalFileThatCannotBeConvertedLeavesNoObject(t *testing.T) {
	s, _ := newSite(t)
	s.receive("a")
	s.publish("b")
	to := t.TempDir()
	refuse := func(_ *journal.File, out interface{ Append(event.Record) error }) error {
		must(t, out.Append(record(t, 1, 1, "half of it")))
		return errors.New("refused")
	}
	refused := 0
	for _, err := range s.inspect().Export(s.files(), ExportOptions{To: to, Convert: refuse}) {
		if err != nil {
			refused++
		}
	}
	if got := exported(t, to); refused != 1 || len(got) != 1 || got["b"] == nil {
		t.Errorf("%d refused, exported %v", refused, got)
	}
}

func TestNothingIsExportedIntoTheSpoolDirectory(t *testing.T) {
	s := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	s.publish("a")
	for _, to := range []string{s.dir, s.path("objects")} {
		for o, err := range s.inspect().Export(s.files(), ExportOptions{To: to, Convert: convert(t)}) {
			if err == nil {
				t.Errorf("%+v was written", o)
			}
		}
	}
	if left := s.names(""); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

func TestReadingChangesNothing(t *testing.T) {
	files := wreck(t)
	s, disk := rebuild(t, files)
	d := s.inspect()
	all, err := d.Files()
	must(t, err)
	_, err = d.Totals()
	must(t, err)
	for range d.Verify(all) { // reads to the end
	}
	for range d.Messages(all, ReadOptions{}) { // likewise
	}
	for range d.Export(all, ExportOptions{To: t.TempDir(), Convert: convert(t)}) { // likewise
	}
	for _, name := range s.names("") {
		if data, err := disk.ReadFile(s.path(name)); err != nil || !bytes.Equal(data, files[name]) {
			t.Errorf("%s: %v", name, err)
		}
		delete(files, name)
	}
	if len(files) > 0 {
		t.Errorf("%d files are gone", len(files))
	}
}
