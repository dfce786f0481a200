package journal

import (
	"fmt"
	"syscall"
	"testing"

	"kinesyslog/internal/faultfs"
)

// A disk that fills up in the middle of a write leaves whole blocks of it. They
// were written again elsewhere, or their sender was told that they are not
// there.
func TestWhatAFailedWriteLeftDoesNotComeBackAfterAKill(t *testing.T) {
	for seed := range uint64(20) {
		disk := faultfs.New(seed)
		change := func(o *Options) { o.FS, o.Shards = disk, 1 }
		j := open(t, "/", change)
		put(t, j.Journal, source("192.0.2.1"), "first")
		disk.Inject(faultfs.Fault{Op: faultfs.OpWrite, Suffix: Suffix, Times: 1, Err: syscall.ENOSPC})
		a := j.NewAppender()
		var want int
		for i := range 8 { // a block each
			a.Add(source(fmt.Sprintf("192.0.2.%d", i)), 1, fmt.Appendf(nil, "message %d", i))
			want++
		}
		j.room.freed <- struct{}{}
		if err := a.Commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		disk = disk.Kill()
		after := open(t, "/", change)
		seen := map[string]bool{}
		for _, e := range take(t, after.Journal) {
			if seen[e.Text] {
				t.Fatalf("seed %d: %q is there twice", seed, e.Text)
			}
			seen[e.Text] = true
		}
		if len(seen) != want+1 {
			t.Errorf("seed %d: %d messages are there of %d", seed, len(seen), want+1)
		}
		after.Close()
	}
}
