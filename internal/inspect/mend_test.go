package inspect

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/vfs"
)

// ids is what waiting returns for records of publish's generation 1, or of the
// generations given.
func ids(generation int, texts ...string) map[string][]string {
	out := map[string][]string{}
	for i, text := range texts {
		if text != "" {
			out[text] = []string{fmt.Sprintf("%016d%016d%04d%020d", generation, 1, 0, i)}
		}
	}
	return out
}

func fine(t *testing.T, outcomes []Outcome) {
	t.Helper()
	for _, out := range outcomes {
		if out.Err != nil {
			t.Errorf("%s: %v", out.File.Name, out.Err)
		}
	}
}

func TestRetriedLettersAreOfferedWithTheSameBytesAndIds(t *testing.T) {
	s, _ := newSite(t)
	s.publish("a", "b", "c")
	s.settle([]string{"a"}, []string{"b", "c"})
	letters, err := s.inspect().Letters()
	must(t, err)
	outcomes := s.own().Retry(letters)
	fine(t, outcomes)
	if len(outcomes) != 2 || outcomes[1].Messages != 1 || outcomes[1].Into == "" {
		t.Errorf("%+v", outcomes)
	}
	if left := s.names(".dead"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	want := [][]byte{record(t, 1, 1, "b").Data, record(t, 1, 2, "c").Data}
	var got [][]byte
	for _, rec := range take(t, s.openSpool()) {
		got = append(got, rec.Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARecordWhoseMarkWasLostIsOfferedOnceAfterRetryAndNeverAfterDiscard(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Owned, []File) []Outcome
		want map[string][]string
	}{
		"retry":   {(*Owned).Retry, ids(1, "a")},
		"discard": {(*Owned).Discard, map[string][]string{}},
	} {
		s, disk := newSite(t)
		stem := s.publish("a")
		unmarked, err := disk.ReadFile(s.path(stem + ".spool"))
		must(t, err)
		s.settle(nil, []string{"a"})
		disk.WriteFile(s.path(stem+".spool"), unmarked)
		letters, err := s.inspect().Letters()
		must(t, err)
		fine(t, c.do(s.own(), letters))
		if diff := cmp.Diff(c.want, s.waiting()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOfASpoolFileSetAsideWhatIsWholeAndUndeliveredIsReplayed(t *testing.T) {
	s, disk := newSite(t)
	stem := s.publish("a", "b", "c", "d")
	s.settle([]string{"a"}, []string{"d"})
	info, err := disk.Stat(s.path(stem + ".spool"))
	must(t, err)
	// In the data of c, the third of four records of one size.
	must(t, disk.FlipBit(s.path(stem+".spool"), (64+(info.Size()-96)*5/8)*8))
	must(t, disk.Rename(s.path(stem+".spool"), s.path(stem+".spool.bad")))

	aside, err := s.inspect().SetAside()
	must(t, err)
	outcomes := s.own().Replay(aside)
	fine(t, outcomes)
	if len(outcomes) != 1 || outcomes[0].Records != 1 || outcomes[0].Damaged != 1 {
		t.Errorf("%+v", outcomes)
	}
	if diff := cmp.Diff(ids(1, "", "b"), s.waiting()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{stem + ".spool.bad.replayed"}, s.names(".replayed")); diff != "" {
		t.Error(diff)
	}
	again := s.own().Replay(s.files(stem + ".spool.bad.replayed"))
	if again[0].Err == nil {
		t.Error("it was replayed twice")
	}
}

func TestARecordThatTheDiskGivesAgainIsReplayed(t *testing.T) {
	s, disk := newSite(t)
	stem := s.publish("a", "b")
	info, err := disk.Stat(s.path(stem + ".spool"))
	must(t, err)
	bit := (64 + (info.Size()-96)*3/4) * 8
	must(t, disk.FlipBit(s.path(stem+".spool"), bit))
	q := s.openSpool()
	taken, err := q.Take(t.Context(), 500, 4<<20)
	must(t, err)
	must(t, q.Delivered(taken)) // and the other one is found to be damaged
	must(t, disk.FlipBit(s.path(stem+".spool.bad"), bit))
	fine(t, s.own().Replay(s.files(stem+".spool.bad")))
	if diff := cmp.Diff(ids(1, "", "b"), s.waiting()); diff != "" {
		t.Error(diff)
	}
}

func TestOfAJournalFileSetAsideWhatIsWholeIsReplayedUnderTheSameIds(t *testing.T) {
	for name, damage := range map[string]int64{"a block": 32 + 40 + 5, "the header": 9} {
		s, disk := newSite(t)
		file := s.receive("a", "b", "c")
		before := s.waiting()
		must(t, disk.FlipBit(s.path(file), damage*8))
		must(t, disk.Rename(s.path(file), s.path(file+".bad")))
		// The name is taken: a journal file that a spool file has is dropped.
		disk.WriteFile(s.path(strings.TrimSuffix(file, ".journal")+".spool"), []byte("published"))

		outcomes := s.own().Replay(s.files(file + ".bad"))
		fine(t, outcomes)
		must(t, disk.Remove(s.path(strings.TrimSuffix(file, ".journal")+".spool")))
		got := s.waiting()
		if name == "a block" {
			delete(before, "a")
		}
		if diff := cmp.Diff(before, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCopiedFilesAreReplayedAndLeftAlone(t *testing.T) {
	from := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	stem := from.publish("a", "b", "c")
	from.settle([]string{"a"}, []string{"b"})
	journalFile := from.receive("d")
	want := from.waiting()
	want["b"] = ids(1, "", "b")["b"]

	to := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	to.gen = 100
	to.publish("e")
	// The journal file that a crash left beside the records made of it.
	converted := from.path(stem + ".journal")
	data, err := os.ReadFile(from.path(journalFile))
	must(t, err)
	must(t, os.WriteFile(converted, data, 0o600))
	before := snapshot(t, from.dir)
	owned, err := to.inspect().Own()
	must(t, err)
	files, err := owned.Files(from.path(stem+".spool"), from.path("dead/"+stem+"-000001.dead"), from.path(journalFile))
	must(t, err)
	fine(t, owned.Replay(files))
	twice, err := owned.Files(converted)
	must(t, err)
	if owned.Replay(twice)[0].Err == nil {
		t.Error("messages were put back as records and as they came")
	}
	must(t, owned.Release())
	want["e"] = ids(101, "e")["e"]
	if diff := cmp.Diff(want, to.waiting()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, snapshot(t, from.dir)); diff != "" {
		t.Error(diff)
	}
	if owned.Discard(files)[0].Err == nil {
		t.Error("a file outside of the directory was discarded")
	}
}

// snapshot is everything in a directory.
func snapshot(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path] = data
		return err
	}))
	return out
}

func TestWhatTheRelayDeliversIsNeitherReplayedNorRetriedNorDiscarded(t *testing.T) {
	s, _ := newSite(t)
	s.publish("a", "b")
	s.settle(nil, []string{"a"})
	s.receive("c")
	want := s.names("")
	for _, f := range s.files() {
		for name, do := range map[string]func(*Owned, []File) []Outcome{"replay": (*Owned).Replay, "retry": (*Owned).Retry, "discard": (*Owned).Discard} {
			if f.Kind == DeadLetter && name != "replay" {
				continue
			}
			if out := do(s.own(), []File{f}); out[0].Err == nil {
				t.Errorf("%s of %s was done", name, f.Name)
			}
		}
	}
	if diff := cmp.Diff(want, s.names("")); diff != "" {
		t.Error(diff)
	}
}

func TestDiscardSaysWhatIsLost(t *testing.T) {
	s, disk := newSite(t)
	s.publish("a", "b")
	s.settle(nil, []string{"a"})
	file := s.receive("c")
	must(t, disk.Rename(s.path(file), s.path(file+".bad")))
	var chosen []File
	for _, f := range s.files() {
		if f.Discardable() == nil {
			chosen = append(chosen, f)
		}
	}
	outcomes := s.own().Discard(chosen)
	fine(t, outcomes)
	// Of the journal file nothing: it was set aside after what is whole in it
	// was made into records.
	if len(outcomes) != 2 || outcomes[0].Messages != 1 || outcomes[1].Messages != 0 {
		t.Errorf("%+v", outcomes)
	}
	if diff := cmp.Diff(ids(1, "", "b"), s.waiting()); diff != "" {
		t.Error(diff)
	}
}

func TestADirectoryInUseIsLockedAgainstWritersOnly(t *testing.T) {
	s := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	s.publish("a")
	relay, err := s.inspect().Own() // holds what a relay holds
	must(t, err)
	if _, err := s.inspect().Own(); err == nil || !strings.Contains(err.Error(), "systemctl stop kinesyslog") {
		t.Errorf("got %v", err)
	}
	if files := s.files(); len(files) != 1 || len(s.damages()) != 0 {
		t.Errorf("%+v", files)
	}
	must(t, relay.Release())
	again, err := s.inspect().Own()
	must(t, err)
	must(t, again.Release())
}

func TestWhatRootMakesBelongsToTheRelaysUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	s := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	s.publish("a")
	s.settle(nil, []string{"a"})
	must(t, os.Chown(s.dir, 4711, 4712))
	owned, err := s.inspect().Own()
	must(t, err)
	letters, err := owned.Letters()
	must(t, err)
	outcomes := owned.Retry(letters)
	fine(t, outcomes)
	must(t, owned.Release())
	for _, name := range []string{outcomes[0].Into, lockName} {
		info, err := os.Stat(s.path(name))
		must(t, err)
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 4711 || st.Gid != 4712 {
			t.Errorf("%s belongs to %d:%d", name, st.Uid, st.Gid)
		}
	}
}

func TestNewFilesSortBehindAllOthersWhateverTheClockSays(t *testing.T) {
	s, disk := newSite(t)
	s.publish("a")
	s.settle(nil, []string{"a"})
	const future = "9000000000000000-001.journal.bad"
	disk.WriteFile(s.path(future), nil)
	letters, err := s.inspect().Letters()
	must(t, err)
	out := s.own().Retry(letters)
	fine(t, out)
	if out[0].Into != "9000000000000001-000.spool" {
		t.Errorf("it is in %s", out[0].Into)
	}
}

func TestWhatTheDiskDoesNotGiveIsNotTakenForReplayed(t *testing.T) {
	s, disk := newSite(t)
	noise := make([]byte, 9000) // does not compress, so that it takes more than one read
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	long := hex.EncodeToString(noise)
	stem := s.publish("a", long, "c")
	must(t, disk.Rename(s.path(stem+".spool"), s.path(stem+".spool.bad")))
	want := ids(1, "a", long, "c")
	file := s.receive("d")
	want["d"] = s.waiting()["d"]
	must(t, disk.Rename(s.path(file), s.path(file+".bad")))
	for _, name := range []string{stem + ".spool.bad", file + ".bad"} {
		refused := 0
		for after := 0; len(s.names(name+replayed)) == 0; after++ {
			files := s.files(name)
			disk.Inject(faultfs.Fault{Op: faultfs.OpRead, Suffix: ".bad", After: after, Times: 1})
			if s.own().Replay(files)[0].Err != nil {
				refused++
			} else if len(s.names(name+replayed)) == 0 {
				t.Fatalf("%s was not replayed, and nobody says so", name)
			}
			disk.Mend()
		}
		if refused == 0 {
			t.Errorf("no read of %s failed", name)
		}
	}
	got := s.waiting()
	for text, id := range got {
		got[text] = slices.Compact(id) // put back twice, under one id
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFullDiskLeavesEverythingWhereItWas(t *testing.T) {
	s, disk := newSite(t)
	s.publish("a", "b")
	s.settle(nil, []string{"a"})
	file := s.receive("c")
	must(t, disk.Rename(s.path(file), s.path(file+".bad")))
	before := map[string][]byte{}
	for _, name := range s.names("") {
		before[name], _ = disk.ReadFile(s.path(name))
	}
	disk.Inject(faultfs.Fault{Op: faultfs.OpWrite, Err: syscall.ENOSPC})
	letters, err := s.inspect().Letters()
	must(t, err)
	outcomes := append(s.own().Retry(letters), s.own().Replay(s.files(file+".bad"))...)
	for _, out := range outcomes {
		if out.Err == nil || out.Into != "" {
			t.Errorf("%+v", out)
		}
	}
	for _, name := range s.names("") {
		if data, _ := disk.ReadFile(s.path(name)); !bytes.Equal(data, before[name]) {
			t.Errorf("%s is changed or new", name)
		}
		delete(before, name)
	}
	if len(before) > 0 {
		t.Errorf("%d files are gone", len(before))
	}
}
