package inspect

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"kinesyslog/internal/faultfs"
)

// TestEveryMomentOfMendingIsSurvived ends retry, replay and discard in each of
// their operations, by a kill and by a power cut, and once more in each
// operation of the next try.
func TestEveryMomentOfMendingIsSurvived(t *testing.T) {
	for name, do := range map[string]func(*Owned) error{
		"retry": func(o *Owned) error {
			files, err := o.Letters()
			return first(err, o.Retry(files))
		},
		"replay": func(o *Owned) error {
			files, err := o.SetAside()
			return first(err, o.Replay(files))
		},
		"discard": func(o *Owned) error {
			files, err := o.Files()
			var replayed []File
			for _, f := range files {
				if f.State == Replayed {
					replayed = append(replayed, f)
				}
			}
			return first(err, o.Discard(replayed))
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := wreck(t)
			s, disk := rebuild(t, files)
			before := disk.Ops()
			must(t, do(s.own()))
			total := disk.Ops() - before
			for n := range total {
				for _, crash := range []bool{false, true} {
					for again := n % 37; again < total; again += 37 {
						die(t, files, n, again, crash, do)
					}
				}
			}
		})
	}
}

// die lets do die twice and then succeed, and compares what is there each time.
func die(t *testing.T, files map[string][]byte, n, again int, crash bool, do func(*Owned) error) {
	t.Helper()
	s, disk := rebuild(t, files)
	want := held(t, s)
	for _, at := range []int{n, again} {
		disk.DieAfter(at)
		_ = do(&Owned{Dir: &Dir{path: s.dir, fs: disk}})
		if crash {
			disk = disk.Crash()
		} else {
			disk = disk.Kill()
		}
		s.fs = disk
		same(t, want, held(t, s), fmt.Sprintf("died in %d, then in %d, crash %v", n, again, crash))
		s.openSpool() // a relay that starts and ends in between
		same(t, want, held(t, s), fmt.Sprintf("a relay after deaths in %d and %d, crash %v", n, again, crash))
	}
	must(t, do(s.own()))
	same(t, want, held(t, s), fmt.Sprintf("done after deaths in %d and %d, crash %v", n, again, crash))
}

// wreck is the files of a directory with something of everything.
func wreck(t *testing.T) map[string][]byte {
	t.Helper()
	s, disk := newSite(t)
	s.publish("a", "b", "c")
	aside := s.publish("d", "e")
	s.settle([]string{"d"}, []string{"a", "b"})
	journalFile := s.receive("f", "g")
	must(t, disk.Rename(s.path(aside+".spool"), s.path(aside+".spool.bad")))
	must(t, disk.Rename(s.path(journalFile), s.path(journalFile+".bad")))
	disk.WriteFile(s.path("1600000000000000-000.spool.bad.replayed"), []byte("remains"))
	files := map[string][]byte{}
	for _, name := range s.names("") {
		data, err := disk.ReadFile(s.path(name))
		must(t, err)
		files[name] = data
	}
	return files
}

// rebuild is a new directory with these files, all of it on the disk.
func rebuild(t *testing.T, files map[string][]byte) (*site, *faultfs.FS) {
	t.Helper()
	s, disk := newSite(t)
	must(t, disk.Mkdir(s.path(deadDir), 0o700))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		disk.WriteFile(s.path(name), files[name])
	}
	must(t, disk.SyncDir(s.dir))
	return s, disk
}

// held is every message that is undelivered or in a journal file set aside, with
// its id. That one is in two files is allowed if its id is the same.
func held(t *testing.T, s *site) map[string]string {
	t.Helper()
	d := s.inspect()
	files, err := d.Holding()
	must(t, err)
	out := map[string]string{}
	for _, f := range files {
		undelivered := f.Kind != Journal
		for m, err := range d.Messages([]File{f}, ReadOptions{Undelivered: undelivered}) {
			must(t, err)
			if id, ok := out[m.Message]; ok && id != m.ID {
				t.Fatalf("%q has the ids %s and %s", m.Message, id, m.ID)
			}
			out[m.Message] = m.ID
		}
	}
	return out
}

func same(t *testing.T, want, got map[string]string, when string) {
	t.Helper()
	for text, id := range want {
		if got[text] != id {
			t.Fatalf("%s: %q has the id %q, want %q", when, text, got[text], id)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", when, got, want)
	}
}

func first(err error, outcomes []Outcome) error {
	for _, out := range outcomes {
		if err == nil {
			err = out.Err
		}
	}
	return err
}
