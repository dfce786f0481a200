package inspect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kinesyslog/internal/vfs"
)

func TestFilesAreToldOldestFirstWithWhatTheyHold(t *testing.T) {
	s, _ := newSite(t)
	first := s.publish("a", "b", "c")
	second := s.publish("d")
	s.settle([]string{"a"}, []string{"b"})
	must(t, s.fs.Rename(s.path(second+".spool"), s.path(second+".spool.bad")))
	journalFile := s.receive("e", "f")

	share := func(listener string, messages, undelivered int64) []Share {
		return []Share{{listener, messages, undelivered}}
	}
	want := []File{
		{Name: "dead/" + first + "-000001.dead", Kind: DeadLetter, State: Dead, Records: 1, Messages: 1, Undelivered: 1, Listeners: share("udp/514", 1, 1), Reason: "it is poison"},
		{Name: first + ".spool", Kind: Spool, State: Waiting, Records: 3, Messages: 3, Undelivered: 1, Listeners: share("udp/514", 3, 1)},
		{Name: second + ".spool.bad", Kind: Spool, SetAside: true, State: Damaged, Records: 1, Messages: 1, Undelivered: 1, Listeners: share("udp/514", 1, 1)},
		{Name: journalFile, Kind: Journal, State: Waiting, Blocks: 2, Messages: 2, Undelivered: 2, Listeners: share("tcp/514", 2, 2)},
	}
	got := s.files()
	for _, f := range got {
		if info, err := s.fs.Stat(f.Path); err != nil || info.Size() != f.Bytes {
			t.Errorf("%s: %d bytes were told, %v", f.Name, f.Bytes, err)
		}
	}
	ignore := cmp.Options{cmpopts.IgnoreFields(File{}, "Path", "Begun", "Bytes"), cmpopts.IgnoreUnexported(File{})}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Error(diff)
	}

	totals, err := s.inspect().Totals()
	must(t, err)
	if totals.OldestWaiting == nil || !totals.OldestWaiting.Equal(time.UnixMilli(1_700_000_000_001)) {
		t.Errorf("oldest waiting: %v", totals.OldestWaiting)
	}
	wantListeners := []ListenerTotal{{"tcp/514", 2, 0, 0, 0}, {"udp/514", 0, 1, 1, 1}}
	if diff := cmp.Diff(wantListeners, totals.Listeners); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsInTwoFilesCountsOnce(t *testing.T) {
	s, disk := newSite(t)
	name := s.receive("a")
	data, err := disk.ReadFile(s.path(name))
	must(t, err)
	converted := strings.TrimSuffix(s.publish("a"), ".spool") // a crash left both
	disk.WriteFile(s.path(converted+".journal"), data)
	must(t, s.fs.Remove(s.path(name)))

	// A dead letter whose mark a power cut took.
	stem := s.publish("b")
	spoolFile, err := disk.ReadFile(s.path(stem + ".spool"))
	must(t, err)
	s.settle(nil, []string{"b"})
	disk.WriteFile(s.path(stem+".spool"), spoolFile)

	states := map[string]State{}
	var undelivered int64
	for _, f := range s.files() {
		states[f.Name] = f.State
		undelivered += f.Undelivered
	}
	want := map[string]State{
		converted + ".journal": Converted, converted + ".spool": Waiting,
		stem + ".spool": Delivered, "dead/" + stem + "-000000.dead": Dead,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
	if undelivered != 2 {
		t.Errorf("%d messages are undelivered, want 2", undelivered)
	}
	if diff := cmp.Diff([]string{"a", "b"}, texts(t, s.inspect(), ReadOptions{Undelivered: true})); diff != "" {
		t.Error(diff)
	}
}

// texts reads messages, sorted by file, and fails for damage.
func texts(t *testing.T, d *Dir, o ReadOptions, names ...string) (out []string) {
	t.Helper()
	files, err := d.Holding(names...)
	must(t, err)
	for m, err := range d.Messages(files, o) {
		must(t, err)
		out = append(out, m.Message)
	}
	return out
}

func TestMessagesOfAllKindsOfFilesAreReadWithTheIdsTheyAreDeliveredWith(t *testing.T) {
	s, _ := newSite(t)
	s.publish("a", "b", "c")
	s.settle([]string{"a"}, []string{"b"})
	s.receive("d \xff", "e")
	if diff := cmp.Diff([]string{"b", "a", "c", "d \xff", "e"}, texts(t, s.inspect(), ReadOptions{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b", "c", "d \xff", "e"}, texts(t, s.inspect(), ReadOptions{Undelivered: true})); diff != "" {
		t.Error(diff)
	}
	files := s.files()
	read := map[string][]string{}
	for m, err := range s.inspect().Messages(files, ReadOptions{GroupPrefix: "/k", Undelivered: true}) {
		must(t, err)
		read[m.Message] = append(read[m.Message], m.ID)
		if m.Message == "e" && (m.LogGroup != "/k/syslog/514" || m.LogStream != "192.0.2.1" || m.Timestamp != 1_700_000_000_000) {
			t.Errorf("%+v", m)
		}
	}
	delete(read, "b") // a dead letter, which does not wait
	if diff := cmp.Diff(s.waiting(), read); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatGoAwayMeanwhileAreLeftOut(t *testing.T) {
	s, _ := newSite(t)
	s.publish("a")
	s.receive("b")
	d, files := s.inspect(), s.files()
	for _, f := range files {
		must(t, s.fs.Remove(f.Path))
	}
	for m, err := range d.Messages(files, ReadOptions{}) {
		t.Errorf("%+v, %v", m, err)
	}
	for r := range d.Verify(files) {
		t.Errorf("%+v", r)
	}
	if got, err := d.Files(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := d.Files(files[0].Name); err == nil {
		t.Error("a file that was asked for is not there, and nobody says so")
	}
}

func TestAWriteThatIsUnderWayIsNoDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, disk := newSite(t)
		name := s.receive("a", "b")
		whole, err := disk.ReadFile(s.path(name))
		must(t, err)
		for _, c := range []struct {
			then   []byte
			damage int
		}{{whole, 0}, {whole[:len(whole)-5], 1}} {
			disk.WriteFile(s.path(name), whole[:len(whole)-5])
			time.AfterFunc(rereadAfter/2, func() { disk.WriteFile(s.path(name), c.then) })
			d := s.inspect()
			f := File{Name: name, Path: s.path(name), Kind: Journal}
			for r := range d.Verify([]File{f}) {
				if len(r.Damage) != c.damage {
					t.Errorf("%v, want %d damages", r.Damage, c.damage)
				}
			}
			time.Sleep(time.Second)
		}
	})
}

func TestOpenTellsWhatIsNoSpoolDirectory(t *testing.T) {
	other := t.TempDir()
	must(t, os.WriteFile(filepath.Join(other, "notes.txt"), nil, 0o600))
	for dir, want := range map[string]string{
		other:                         "is no spool directory",
		filepath.Join(other, "none"):  "there is no spool directory",
		filepath.Join(other, "notes"): "there is no spool directory",
	} {
		if _, err := Open(vfs.OS{}, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestFilesAreFoundByNameAndByPathAndOnce(t *testing.T) {
	s := &site{t: t, fs: vfs.OS{}, dir: t.TempDir()}
	stem := s.publish("a", "b")
	s.settle(nil, []string{"a"})
	letter := "dead/" + stem + "-000000.dead"
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(s.dir, link))
	for _, name := range []string{letter, s.path(letter), filepath.Join(link, letter)} {
		files := s.files(name, letter)
		if len(files) != 1 || files[0].Name != letter || files[0].foreign {
			t.Errorf("%s: %+v", name, files)
		}
	}
	d := s.inspect()
	for _, name := range []string{"lock", "none.spool", stem + ".journal"} {
		if _, err := d.Files(name); err == nil {
			t.Errorf("%s was found", name)
		}
	}
}
