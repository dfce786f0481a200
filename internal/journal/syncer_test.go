package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/vfs"
)

// watchedDisk notes the fsyncs of journal files. Each takes a while, and if
// there is a gate, it is begun by one value from it.
type watchedDisk struct {
	vfs.FS
	gate chan error

	mu    sync.Mutex
	syncs []string // names of files
	begun chan struct{}
}

func newWatchedDisk(gated bool) *watchedDisk {
	d := &watchedDisk{FS: faultfs.New(1), begun: make(chan struct{}, 1000)}
	if gated {
		d.gate = make(chan error)
	}
	return d
}

type watchedFile struct {
	vfs.File
	disk *watchedDisk
	name string
}

func (d *watchedDisk) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, Suffix) {
		return f, err
	}
	return watchedFile{f, d, name}, nil
}

func (f watchedFile) Sync() error {
	f.disk.mu.Lock()
	f.disk.syncs = append(f.disk.syncs, f.name)
	f.disk.mu.Unlock()
	f.disk.begun <- struct{}{}
	if f.disk.gate != nil {
		if err := <-f.disk.gate; err != nil {
			return err
		}
	}
	time.Sleep(time.Millisecond)
	return f.File.Sync()
}

func (d *watchedDisk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.syncs)
}

// keep commits a text and returns what a Sync of it comes to.
func keep(t *testing.T, a *DurableAppender, s *event.Source, text string) <-chan error {
	t.Helper()
	a.Add(s, 1, []byte(text))
	if err := a.Commit(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Sync(t.Context()) }()
	return done
}

func TestOneWhoWaitsAloneWaitsForOneSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(false)
		j := open(t, "/", func(o *Options) { o.FS, o.SyncInterval = disk, 10*time.Second })
		defer j.Close()
		a := j.NewDurableAppender()
		for range 100 {
			start := time.Now()
			if err := <-keep(t, a, source("192.0.2.1"), "x"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took != time.Millisecond {
				t.Fatalf("it took %v, and the fsync of it 1ms", took)
			}
		}
		time.Sleep(time.Minute)
		if n := disk.count(); n != 100 {
			t.Errorf("%d fsyncs for 100 messages, one after the other", n)
		}
	})
}

func TestSyncOfWhatIsOnDiskAsksNothingOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(false)
		j := open(t, "/", func(o *Options) { o.FS = disk })
		defer j.Close()
		a := j.NewDurableAppender()
		a.Add(source("192.0.2.1"), 1, []byte("x"))
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(j.options.SyncInterval) // by then it is there
		start := time.Now()
		if err := a.Sync(t.Context()); err != nil || disk.count() != 1 || time.Since(start) > 0 {
			t.Errorf("error %v after %v, %d fsyncs, want 1", err, time.Since(start), disk.count())
		}
	})
}

func TestWhoeverComesDuringARoundSharesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(true)
		j := open(t, "/", func(o *Options) { o.FS, o.Shards = disk, 1 })
		defer j.Close()
		first := keep(t, j.NewDurableAppender(), source("192.0.2.1"), "x")
		<-disk.begun
		var others []<-chan error
		for i := range 10 {
			others = append(others, keep(t, j.NewDurableAppender(), source(fmt.Sprint("192.0.2.", i)), "x"))
		}
		synctest.Wait()
		disk.gate <- nil
		if err := <-first; err != nil {
			t.Error(err)
		}
		<-disk.begun
		for _, other := range others {
			select {
			case err := <-other:
				t.Fatalf("told that it is on disk (%v) by a round that began before it was written", err)
			default:
			}
		}
		disk.gate <- nil
		for _, other := range others {
			if err := <-other; err != nil {
				t.Error(err)
			}
		}
		if n := disk.count(); n != 2 {
			t.Errorf("%d fsyncs, want 2", n)
		}
	})
}

func TestWhoeverWroteBeforeARoundIsServedByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(true)
		j := open(t, "/", func(o *Options) { o.FS = disk })
		defer j.Close()
		a := j.NewDurableAppender()
		a.Add(source("192.0.2.1"), 1, []byte("x"))
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		<-disk.begun // its time has come
		done := make(chan error, 1)
		go func() { done <- a.Sync(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("told that it is on disk (%v) during the fsync", err)
		default:
		}
		disk.gate <- nil
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := disk.count(); n != 1 {
			t.Errorf("%d fsyncs, want 1", n)
		}
	})
}

func TestASignalWithoutAnybodyWhoWaitsCausesNoRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(false)
		j := open(t, "/", func(o *Options) { o.FS = disk })
		defer j.Close()
		put(t, j.Journal, source("192.0.2.1"), "x")
		signal(j.syncer.urgent) // left by one whom the timer's round has served
		synctest.Wait()
		if n := disk.count(); n != 0 {
			t.Errorf("%d fsyncs before their time", n)
		}
	})
}

func TestFilesOfARoundAreSyncedAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(false)
		j := open(t, "/", func(o *Options) { o.FS, o.Shards = disk, 8 })
		defer j.Close()
		a := j.NewDurableAppender()
		for i := range 100 {
			a.Add(source(fmt.Sprint("192.0.2.", i)), 1, []byte("x"))
		}
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := a.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took, n := time.Since(start), disk.count(); took != time.Millisecond || n < 2 {
			t.Errorf("%d fsyncs of 1ms took %v", n, took)
		}
	})
}

func TestEveryShardIsOnDiskWithinTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(false)
		j := open(t, "/", func(o *Options) { o.FS, o.Shards = disk, 8 })
		defer j.Close()
		// One shard after the other gets its first message.
		written := map[string]time.Time{}
		for i := 0; len(written) < 8; i++ {
			s := source(fmt.Sprint("192.0.2.", i))
			shard := j.shards[j.shardOf(s)]
			if shard.open != nil {
				continue
			}
			put(t, j.Journal, s, "x")
			written[shard.open.path] = time.Now()
			time.Sleep(j.options.SyncInterval / 4)
			disk.mu.Lock()
			for path, at := range written {
				if done := strings.Contains(strings.Join(disk.syncs, " "), path); !done && time.Since(at) >= j.options.SyncInterval {
					t.Errorf("%s is not on disk after %v", path, time.Since(at))
				}
			}
			disk.mu.Unlock()
		}
	})
}

func TestAFailedSyncIsToldToAllWhoseMessagesItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(true)
		j := open(t, "/", func(o *Options) { o.FS, o.Shards = disk, 1 })
		defer j.Close()
		a, b, c := j.NewDurableAppender(), j.NewDurableAppender(), j.NewDurableAppender()
		b.Add(source("192.0.2.2"), 1, []byte("b"))
		if err := b.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		first := keep(t, a, source("192.0.2.1"), "a")
		<-disk.begun // takes b's message, too
		second := make(chan error, 1)
		go func() { second <- b.Sync(t.Context()) }()
		third := keep(t, c, source("192.0.2.3"), "c") // into the file that is about to fail
		synctest.Wait()
		broken := errors.New("the disk is broken")
		disk.gate <- broken
		for name, done := range map[string]<-chan error{"a": first, "b": second, "c": third} {
			if err := <-done; !errors.Is(err, broken) {
				t.Errorf("%s was told %v", name, err)
			}
		}
		if n := disk.count(); n != 1 {
			t.Errorf("%d fsyncs of a file that failed the first", n)
		}

		// Others go on in another file.
		fourth := keep(t, j.NewDurableAppender(), source("192.0.2.4"), "d")
		disk.gate <- nil
		if err := <-fourth; err != nil {
			t.Errorf("one who has nothing in the file that failed was told %v", err)
		}

		// What the file holds moves to the spool, and all is well.
		if err := a.Sync(t.Context()); !errors.Is(err, broken) {
			t.Errorf("a second try was told %v before the messages were moved", err)
		}
		g := j.Next(t.Context())
		got, _ := entries(t, g)
		if len(got) != 3 {
			t.Errorf("the file that failed holds %v", texts(got))
		}
		if err := g.Drop(); err != nil {
			t.Fatal(err)
		}
		for _, x := range []*DurableAppender{a, b, c} {
			if err := x.Sync(t.Context()); err != nil {
				t.Errorf("after the messages were moved: %v", err)
			}
		}
	})
}

func TestAFailedSyncOfTheDirectoryIsOneOfTheFile(t *testing.T) {
	disk := faultfs.New(1)
	j := open(t, "/", func(o *Options) { o.FS = disk })
	defer j.Close()
	disk.Inject(faultfs.Fault{Op: faultfs.OpSyncDir, Times: 1})
	a := j.NewDurableAppender()
	if <-keep(t, a, source("192.0.2.1"), "a") == nil {
		t.Error("a message is called safe whose file's name is not on disk")
	}
	if err := <-keep(t, j.NewDurableAppender(), source("192.0.2.1"), "b"); err != nil {
		t.Error(err)
	}
}

func TestSyncEndsWithItsContextAndWithTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newWatchedDisk(true)
		j := open(t, "/", func(o *Options) { o.FS = disk })
		a := j.NewDurableAppender()
		a.Add(source("192.0.2.1"), 1, []byte("x"))
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Sync(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(disk.gate)
		j.Close()
		if err := a.Sync(t.Context()); err == nil {
			t.Error("a journal that is closed said that it syncs")
		}
	})
}

func TestWhatADurableAppenderCannotWriteIsLeftToItsSender(t *testing.T) {
	j := open(t, t.TempDir(), nil)
	defer j.Close()
	j.room.full.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := j.NewDurableAppender()
	a.Add(source("192.0.2.1"), 1, []byte("x"))
	if err := a.Commit(ctx, true); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit returned %v", err)
	}
	for _, b := range j.ledger.Snapshot() {
		if b.Received != 0 || b.DroppedTotal() != 0 {
			t.Errorf("the ledger says %+v", b)
		}
	}
	if len(take(t, j.Journal)) > 0 {
		t.Error("the message is in the journal")
	}
}
