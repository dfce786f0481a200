package listen

import (
	"testing"
	"time"
)

func TestDatagramsGatherOnlyWhereTwoOrMoreComeInAPause(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state next
		n     int
		gap   int64 // microseconds
		want  next
	}{
		{"one now and then", await, 1, 1_000_000, await},
		{"a burst now and then", await, 30, 1_000_000, await},
		{"200 a second", await, 1, 5_000, await},
		{"10,000 a second begin", await, 1, 100, gather},
		{"50,000 a second go on", gather, 105, 2_100, gather},
		{"more than a batch", gather, batchSize, 2_100, readOn},
		{"the rest of it", readOn, 22, 40, gather},
		{"a batch was all there was", readOn, 0, 40, gather},
		{"they are few by now", gather, 1, 2_100, await},
		{"they end", gather, 0, 2_100, await},
	} {
		g := gathering{buffer: 2 * DefaultReceiveBuffer, readers: 1, state: tt.state, last: time.Now()}
		got, pause := g.after(tt.n, tt.n*256, g.last.Add(time.Duration(tt.gap)*time.Microsecond))
		if got != tt.want || got != g.state {
			t.Errorf("%s: %v, then %v, want %v", tt.name, got, g.state, tt.want)
		}
		if pause > gatherPause || (pause > 0) != (got == gather) {
			t.Errorf("%s: %v with a pause of %v", tt.name, got, pause)
		}
	}
}

func TestPauseEndsBeforeMuchOfTheReceiveBufferIsFilled(t *testing.T) {
	gathers := 0
	for _, buffer := range []int{0, 4 << 10, 208 << 10, 425_984, 8 << 20, 32 << 20} {
		for _, size := range []int{1, 256, 1400, 65_507} {
			for _, gap := range []int64{1, 20, 200, 2_000} {
				for _, n := range []int{1, 2, 10, batchSize - 1} {
					g := gathering{buffer: buffer, readers: 1, last: time.Now()}
					what, pause := g.after(n, n*size, g.last.Add(time.Duration(gap)*time.Microsecond))
					if what != gather {
						continue
					}
					gathers++
					comes := float64(n*(2*size+skbOverhead)) / float64(gap) * float64(pause.Microseconds())
					if comes > float64(buffer)/gatherShare {
						t.Errorf("%d datagrams of %d bytes in %d us: %.0f bytes come in a pause of %v, with a buffer of %d",
							n, size, gap, comes, pause, buffer)
					}
				}
			}
		}
	}
	if gathers == 0 {
		t.Error("no pause at all")
	}
}

func TestReaderKeepsAProcessorOnlyIfTheOthersGetByWithoutIt(t *testing.T) {
	for _, tt := range []struct {
		used       time.Duration // in a second
		processors int           // beside those of readers
		want       bool
	}{
		{0, 0, false},
		{time.Millisecond, 0, false},
		{250 * time.Millisecond, 1, true},
		{900 * time.Millisecond, 1, false},
		{1400 * time.Millisecond, 2, true},
		{0, -1, false},
	} {
		if got := enough(tt.used, time.Second, tt.processors); got != tt.want {
			t.Errorf("%v used, %d processors: %v, want %v", tt.used, tt.processors, got, tt.want)
		}
	}
}

func TestReaderKeepsNoProcessorBeforeItHasMeasured(t *testing.T) {
	g := gathering{readers: -8} // many processors are left over
	g.look()
	if g.spare {
		t.Error("a processor is kept without knowing how busy the others are")
	}
	g.looked = g.looked.Add(-spareInterval)
	g.look()
	if !g.spare {
		t.Error("no processor is kept although eight are left over")
	}
}
