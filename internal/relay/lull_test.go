package relay

import "testing"

func TestMemoryIsGivenBackOnceWhenALoadIsOver(t *testing.T) {
	var received, delivered uint64
	freed := 0
	l := newLull(func() (uint64, uint64) { return received, delivered })
	l.free = func() { freed++ }
	looks := func(n int) {
		for range n {
			l.look()
		}
	}
	for i, step := range []struct {
		bytes, messages uint64
		looks, want     int
	}{
		{0, 0, 10, 0},           // nothing was ever done
		{lullBytes, 10, 1, 0},   // a load
		{0, 10, lullLooks, 0},   // it is still being delivered
		{0, 0, lullLooks, 1},    // it is over
		{0, 0, 100, 1},          // once is enough
		{1000, 1, 100, 1},       // a message now and then leaves nothing behind
		{lullBytes, 10, 100, 2}, // another load
		{lullBytes, 0, 1, 2},    // one that goes on
		{lullBytes, 0, 2, 2},    //
		{lullBytes, 0, 100, 3},  //
	} {
		received += step.bytes
		delivered += step.messages
		looks(step.looks)
		if freed != step.want {
			t.Errorf("step %d: given back %d times, want %d", i, freed, step.want)
		}
	}
}
