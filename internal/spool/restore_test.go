package spool_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kinesyslog/internal/event"
	"kinesyslog/internal/faultfs"
	"kinesyslog/internal/spool"
)

func TestRestoredRecordsAreOfferedAsTheyWere(t *testing.T) {
	disk := newDisk(t, 1)
	want := records(20, 5000)
	n, err := spool.Restore(disk, dir, name(1), slices.Values(want))
	if err != nil || n != len(want) {
		t.Fatal(n, err)
	}
	disk = disk.Crash() // it was durable
	b := mustOpen(t, disk, dir)
	same(t, 1, want, b.take(500, 4<<20))
	if b.metric("kinesyslog_spool_damaged_total") != 0 {
		t.Error("what was restored is damaged")
	}
}

func TestWithoutRecordsNothingIsRestored(t *testing.T) {
	disk := newDisk(t, 1)
	n, err := spool.Restore(disk, dir, name(1), slices.Values([]event.Record(nil)))
	if left := filesIn(t, disk, dir); n != 0 || err != nil || len(left) != 0 {
		t.Errorf("%d, %v, left: %q", n, err, left)
	}
}

func TestARestoreThatFailsLeavesNothingAndSaysSo(t *testing.T) {
	for _, op := range []faultfs.Op{faultfs.OpOpen, faultfs.OpWrite, faultfs.OpSync, faultfs.OpRename} {
		disk := newDisk(t, 1)
		disk.Inject(faultfs.Fault{Op: op})
		n, err := spool.Restore(disk, dir, name(1), slices.Values(records(3, 100)))
		disk.Mend()
		if left := filesIn(t, disk, dir); n != 0 || err == nil || len(left) != 0 {
			t.Errorf("%v: %d, %v, left: %q", op, n, err, left)
		}
	}
	disk := newDisk(t, 1)
	for what, r := range map[string]event.Record{
		"no data": {Events: 1}, "too much data": {Events: 1, Data: make([]byte, spool.MaxData+1)},
		"a long listener": {Events: 1, Data: []byte("x"), Listener: strings.Repeat("l", spool.MaxListener+1)},
	} {
		if _, err := spool.Restore(disk, dir, name(1), slices.Values([]event.Record{r})); err == nil {
			t.Errorf("a record with %s was taken", what)
		}
	}
	if _, err := spool.Restore(disk, dir, "name", slices.Values(records(1, 1))); err == nil {
		t.Error("a name that Open passes over was taken")
	}
}

func TestABuriedRecordIsNotOfferedWithoutItsLetter(t *testing.T) {
	disk := newDisk(t, 1)
	b := mustOpen(t, disk, dir)
	b.put(1, records(3, 100)...)
	path := dir + "/" + name(1) + ".spool"
	unmarked, err := disk.ReadFile(path)
	must(t, err)
	for i, rec := range b.take(3, 1000)[:2] {
		if i == 1 {
			must(t, b.DeadLetter(rec, "poison"))
		} else {
			must(t, b.Delivered([]event.Stored{rec}))
		}
	}
	delivered, err := disk.ReadFile(path)
	must(t, err)
	disk.WriteFile(path, unmarked) // what a power cut may leave of the marks
	letter := spool.LetterName(name(1), 1)
	must(t, spool.Bury(disk, dir, letter))
	must(t, disk.Remove(dir+"/dead/"+letter+".dead"))
	disk = disk.Crash()
	var got []int
	for _, rec := range mustOpen(t, disk, dir).take(3, 1000) {
		got = append(got, rec.Index)
	}
	if !slices.Equal(got, []int{0, 2}) {
		t.Errorf("records %v are offered", got)
	}

	// One that is marked is left as it is, and one that has no file is no error.
	disk.WriteFile(path, delivered)
	must(t, spool.Bury(disk, dir, spool.LetterName(name(1), 0)))
	if now, err := disk.ReadFile(path); err != nil || !bytes.Equal(now, delivered) {
		t.Error("a delivered record was marked anew")
	}
	must(t, spool.Bury(disk, dir, spool.LetterName(name(2), 0)))
	if spool.Bury(disk, dir, "letter") == nil {
		t.Error("a name that is no letter's was taken")
	}
}
