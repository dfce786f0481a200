package relay

import (
	"testing"
)

// climb is how many looks a test's ladder needs for a rung.
const climb = 10

// machine is a relay's processors under a constant load of messages: what it
// needs at level 1, as a share of them, and in proportion at the others.
type machine struct{ atLevel1 float64 }

func (m machine) under(l *ladder) pressure {
	need := m.atLevel1 * rungs[l.at].cost
	return pressure{load: min(need, 1), behind: need > 1}
}

func TestIdleProcessorsAreSpentOnSmallerRecords(t *testing.T) {
	l := newLadder(climb)
	if l.level() != 6 {
		t.Errorf("level %d at the start, want 6", l.level())
	}
	for range 3 * climb {
		l.look(pressure{load: 0.02})
	}
	if l.level() != 9 {
		t.Errorf("level %d with idle processors, want 9", l.level())
	}
}

func TestAConstantLoadSettlesOnOneLevel(t *testing.T) {
	for _, tt := range []struct {
		atLevel1 float64
		level    int
	}{
		{0.01, 9}, {0.06, 9}, {0.09, 8}, {0.13, 8}, {0.16, 6}, {0.3, 6}, {0.45, 6}, {0.52, 6}, {0.58, 3}, {0.7, 3}, {0.95, 1}, {3, 1},
	} {
		l, m := newLadder(climb), machine{tt.atLevel1}
		for range 20 * climb {
			l.look(m.under(l))
		}
		settled := l.level()
		for range 50 * climb {
			if level := l.look(m.under(l)); level != settled {
				t.Errorf("load %v at level 1: level %d after %d", tt.atLevel1, level, settled)
				break
			}
		}
		if settled != tt.level {
			t.Errorf("load %v at level 1: level %d, want %d", tt.atLevel1, settled, tt.level)
		}
	}
}

func TestWorkersThatCannotKeepUpHaveLevel1WithinSeconds(t *testing.T) {
	l := newLadder(climb)
	l.at = len(rungs) - 1
	looks := 0
	for l.level() > 1 && looks < 100 {
		l.look(pressure{load: 0.99, behind: true})
		looks++
	}
	if looks > 4*patience {
		t.Errorf("level 1 from 9 after %d seconds, want %d at most", looks, 4*patience)
	}
}

func TestWhatIsAboveLevel6IsGivenUpAtOnce(t *testing.T) {
	l := newLadder(climb)
	l.at = len(rungs) - 1
	for range patience {
		l.look(pressure{load: 0.99, behind: true})
	}
	if l.level() != 6 {
		t.Errorf("level %d, want 6", l.level())
	}
}

func TestSeveralGenerationsThatEndTogetherAreNotBehind(t *testing.T) {
	l := newLadder(climb)
	for i := range 10 * climb {
		l.look(pressure{load: 0.6, behind: i%climb == 0})
	}
	if l.level() != 6 {
		t.Errorf("level %d, want the first one, 6", l.level())
	}
}

func TestASlowDiskDoesNotMakeRecordsLarger(t *testing.T) {
	l := newLadder(climb)
	for range 10 * climb {
		l.look(pressure{load: 0.1, behind: true})
	}
	if l.level() != 6 {
		t.Errorf("level %d, want the first one, 6", l.level())
	}
}

func TestBurstsAtTheEndOfTheFlushIntervalKeepTheLevelWhereTheyAreBorne(t *testing.T) {
	l := newLadder(climb)
	changes, before := 0, l.level()
	for i := range 100 * climb {
		load := 0.05
		if i%climb < 3 {
			load = 0.8 // of the window that the burst is in
		}
		if level := l.look(pressure{load: load}); level != before {
			changes, before = changes+1, level
		}
	}
	if changes > 0 {
		t.Errorf("%d changes of level, want none", changes)
	}
}

func TestAfterAnOverloadTheLevelComesBack(t *testing.T) {
	l := newLadder(climb)
	for range 10 {
		l.look(pressure{load: 0.99, behind: true})
	}
	if l.level() != 1 {
		t.Fatalf("level %d under overload, want 1", l.level())
	}
	for range climb {
		l.look(pressure{load: 0.03})
	}
	if l.level() != 6 {
		t.Errorf("level %d as soon as it is over, want 6", l.level())
	}
	for range 3 * climb {
		l.look(pressure{load: 0.03})
	}
	if l.level() != 9 {
		t.Errorf("level %d after it, want 9", l.level())
	}
}
