package faultfs_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/vfs"
)

// mustCreate makes a file with contents, as a process would.
func mustCreate(t *testing.T, f vfs.FS, name string, data []byte) vfs.File {
	t.Helper()
	h, err := f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(data); err != nil {
		t.Fatal(err)
	}
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, f vfs.FS) []string {
	t.Helper()
	entries, err := f.ReadDir("/")
	must(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestKillKeepsAllThatWasWritten(t *testing.T) {
	f := faultfs.New(1)
	h := mustCreate(t, f, "/a", []byte("hello"))
	must(t, f.Rename("/a", "/b"))
	after := f.Kill()
	if _, err := h.Write([]byte("x")); !errors.Is(err, faultfs.ErrDead) {
		t.Errorf("the dead process wrote: %v", err)
	}
	got, err := after.ReadFile("/b")
	must(t, err)
	if string(got) != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestSyncedDataAndNamesSurviveEveryCrash(t *testing.T) {
	data := bytes.Repeat([]byte("kinesyslog"), 1000)
	for seed := range uint64(200) {
		f := faultfs.New(seed)
		h := mustCreate(t, f, "/a", data)
		must(t, h.Sync())
		must(t, f.Rename("/a", "/b"))
		must(t, f.SyncDir("/"))
		_, err := h.WriteAt([]byte("X"), 3)
		must(t, err)
		got, err := f.Crash().ReadFile("/b")
		must(t, err)
		got[3] = data[3] // the only byte that was not synced
		if !bytes.Equal(got, data) {
			t.Fatalf("seed %d: synced data changed", seed)
		}
	}
}

func TestUnsyncedWorkIsLostInEveryWayInTheEnd(t *testing.T) {
	data := bytes.Repeat([]byte{'x'}, 3000)
	outcomes := map[string]bool{}
	for seed := range uint64(500) {
		f := faultfs.New(seed)
		h := mustCreate(t, f, "/old", nil)
		must(t, f.SyncDir("/"))
		_, err := h.Write(data)
		must(t, err)
		must(t, f.Rename("/old", "/new"))
		after := f.Crash()
		name := names(t, after)
		if len(name) != 1 {
			t.Fatalf("seed %d: %q", seed, name)
		}
		outcomes[name[0]] = true
		got, err := after.ReadFile("/" + name[0])
		must(t, err)
		x := bytes.Count(got, []byte{'x'})
		switch {
		case bytes.Equal(got, data):
			outcomes["whole"] = true
		case len(got) == 0:
			outcomes["empty"] = true
		case x == len(got) && len(got)%512 != 0:
			outcomes["short in the middle of a sector"] = true
		case x < len(got) && got[len(got)-1] == 'x':
			outcomes["hole"] = true
		}
	}
	want := map[string]bool{
		"old": true, "new": true, "whole": true, "empty": true, "hole": true, "short in the middle of a sector": true,
	}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Error(diff)
	}
}

func TestDirectoryChangesSurviveInTheirOrder(t *testing.T) {
	seen := map[int]bool{}
	for seed := range uint64(100) {
		f := faultfs.New(seed)
		for _, name := range []string{"/a", "/b", "/c"} {
			mustCreate(t, f, name, nil)
		}
		got := names(t, f.Crash())
		if diff := cmp.Diff([]string{"a", "b", "c"}[:len(got)], got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		seen[len(got)] = true
	}
	if len(seen) != 4 {
		t.Errorf("only %v names survived in 100 crashes", seen)
	}
}

func TestAFailedSyncLosesTheDataForGood(t *testing.T) {
	lost := false
	for seed := range uint64(20) {
		f := faultfs.New(seed)
		h := mustCreate(t, f, "/a", []byte("data"))
		must(t, f.SyncDir("/"))
		f.Inject(faultfs.Fault{Op: faultfs.OpSync, Times: 1})
		if err := h.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("got %v, want EIO", err)
		}
		must(t, h.Sync()) // succeeds, and writes nothing
		got, err := f.Crash().ReadFile("/a")
		must(t, err)
		lost = lost || string(got) != "data"
	}
	if !lost {
		t.Error("data of a failed sync survived every crash")
	}
}

func TestFaultsStrikeWhereAndAsOftenAsTold(t *testing.T) {
	f := faultfs.New(1)
	f.Inject(faultfs.Fault{Op: faultfs.OpRename, Suffix: ".part", After: 1, Times: 1, Err: syscall.ENOSPC})
	var got []bool
	for range 4 {
		mustCreate(t, f, "/a.part", nil)
		err := f.Rename("/a.part", "/a")
		got = append(got, errors.Is(err, syscall.ENOSPC))
		_ = f.Remove("/a.part")
		must(t, f.Rename("/a", "/b"))
		must(t, f.Rename("/b", "/a"))
	}
	if diff := cmp.Diff([]bool{false, true, false, false}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFullDiskWritesWhatFits(t *testing.T) {
	f := faultfs.New(1)
	f.SetCapacity(10)
	h := mustCreate(t, f, "/a", []byte("12345678"))
	n, err := h.Write([]byte("9abcdef"))
	if n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	if _, err := h.WriteAt([]byte("overwriting needs no room"[:8]), 0); err != nil {
		t.Error(err)
	}
	must(t, f.Remove("/a"))
	mustCreate(t, f, "/b", []byte("1234567890"))
}

func TestEveryOperationCanBeTheLast(t *testing.T) {
	run := func(f *faultfs.FS) {
		h, err := f.OpenFile("/a", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return
		}
		_, _ = h.Write([]byte("hello"))
		_ = h.Sync()
		_ = h.Close()
		_ = f.Rename("/a", "/b")
		_ = f.SyncDir("/")
	}
	whole := faultfs.New(1)
	run(whole)
	for n := range whole.Ops() {
		f := faultfs.New(1)
		f.DieAfter(n)
		run(f)
		if !f.Dead() {
			t.Fatalf("alive after %d operations", n)
		}
		if got := f.Kill().Ops(); got != n+1 {
			t.Errorf("died in operation %d, want %d", got, n+1)
		}
	}
}

func TestTheSameSeedGivesTheSameCrash(t *testing.T) {
	run := func() []byte {
		f := faultfs.New(7)
		h := mustCreate(t, f, "/a", nil)
		must(t, f.SyncDir("/"))
		for i := range 100 {
			_, err := h.WriteAt(bytes.Repeat([]byte{byte(i)}, 700), int64(i*300))
			must(t, err)
		}
		got, err := f.Crash().ReadFile("/a")
		must(t, err)
		return got
	}
	if !bytes.Equal(run(), run()) {
		t.Error("two runs differ")
	}
}

func TestFlipBitChangesWhatIsReadAndWhatSurvives(t *testing.T) {
	f := faultfs.New(1)
	f.WriteFile("/a", []byte{0, 0})
	must(t, f.FlipBit("/a", 9))
	for _, f := range []*faultfs.FS{f, f.Crash()} {
		got, err := f.ReadFile("/a")
		must(t, err)
		if !bytes.Equal(got, []byte{0, 2}) {
			t.Errorf("got %v", got)
		}
	}
}

// TestBehavesAsTheSystemDoes runs the same calls on both and compares.
func TestBehavesAsTheSystemDoes(t *testing.T) {
	run := func(f vfs.FS, dir string) (out []string) {
		note := func(err error) {
			switch {
			case err == nil:
				out = append(out, "ok")
			case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
				out = append(out, errors.Unwrap(err).Error())
			default:
				out = append(out, "error")
			}
		}
		open := func(name string, flag int) vfs.File {
			h, err := f.OpenFile(dir+name, flag, 0o600)
			note(err)
			return h
		}
		open("/none", os.O_RDONLY)
		open("/no/dir", os.O_RDWR|os.O_CREATE)
		h := open("/a", os.O_RDWR|os.O_CREATE|os.O_EXCL)
		open("/a", os.O_RDWR|os.O_CREATE|os.O_EXCL)
		_, err := h.WriteAt([]byte("abc"), 5)
		note(err)
		note(h.Truncate(6))
		buf := make([]byte, 10)
		n, err := h.Read(buf)
		out = append(out, string(buf[:n]))
		note(err)
		n, err = h.ReadAt(buf, 4)
		out = append(out, string(buf[:n]))
		note(err)
		_, err = h.ReadAt(buf, 50)
		note(err)
		app := open("/a", os.O_WRONLY|os.O_APPEND)
		_, err = app.Write([]byte("end"))
		note(err)
		_, err = app.Read(buf)
		note(err)
		info, err := app.Stat()
		note(err)
		out = append(out, info.Name(), string(rune('0'+info.Size())))
		note(f.Mkdir(dir+"/d", 0o700))
		note(f.Mkdir(dir+"/d", 0o700))
		note(f.Rename(dir+"/a", dir+"/b"))
		note(f.Rename(dir+"/a", dir+"/b"))
		note(f.Remove(dir + "/a"))
		entries, err := f.ReadDir(dir)
		note(err)
		for _, e := range entries {
			out = append(out, e.Name())
		}
		note(f.Remove(dir + "/d"))
		note(f.SyncDir(dir))
		note(h.Close())
		note(h.Close())
		_, err = f.Stat(dir + "/b")
		note(err)
		return out
	}
	if diff := cmp.Diff(run(vfs.OS{}, t.TempDir()), run(faultfs.New(1), "/")); diff != "" {
		t.Error("-system +faultfs", diff)
	}
}
