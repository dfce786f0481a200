package cwl

import (
	"bytes"
	"testing"
)

func TestARecordAfterAChangeOfLevelIsTheSameAsAnotherBuilderMakesAtThatLevel(t *testing.T) {
	lines, stamps := logLines(2000)
	id := NewID(1771708070000, 8123456789012345, 3)
	record := func(b *Builder) []byte {
		b.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
		for i, line := range lines {
			id.Set(uint64(i))
			if !b.Add(&id, stamps[i], nil, line) {
				t.Fatal("document full")
			}
		}
		return mustClose(t, b)
	}
	b := newBuilder(t, 6)
	for _, level := range []int{6, 9, 1, 1, 7, 6} {
		if err := b.SetLevel(level); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(record(b), record(newBuilder(t, level))) {
			t.Errorf("level %d: records differ", level)
		}
		if b.Level() != level {
			t.Errorf("level is %d, want %d", b.Level(), level)
		}
	}
}

func TestAChangeOfLevelGivesUpAnOpenDocument(t *testing.T) {
	b := newBuilder(t, 6)
	id := NewID(1771708070000, 1, 1)
	b.Open("", "g", "s")
	if !b.Add(&id, 1771708070000, nil, []byte("text")) {
		t.Fatal("document full")
	}
	if err := b.SetLevel(7); err != nil {
		t.Fatal(err)
	}
	if b.Add(&id, 1771708070000, nil, []byte("text")) {
		t.Error("an event was added to no document")
	}
	if _, err := b.Close(); err != ErrNoEvents {
		t.Errorf("closing gives %v, want %v", err, ErrNoEvents)
	}
}

func TestALevelOutOfRangeChangesNothing(t *testing.T) {
	b := newBuilder(t, 6)
	for _, level := range []int{-2, -1, 0, 10} {
		if err := b.SetLevel(level); err == nil || b.Level() != 6 {
			t.Errorf("level %d: error %v, level %d afterwards; want an error and 6", level, err, b.Level())
		}
	}
}

func TestTheLevelThatIsSetAlreadyCostsNothing(t *testing.T) {
	b := newBuilder(t, 6)
	if n := testing.AllocsPerRun(100, func() {
		if err := b.SetLevel(6); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
