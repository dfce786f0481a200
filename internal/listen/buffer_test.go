package listen

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestBufferGrowsWhileReadsFillItAndTrimsWhenIdle(t *testing.T) {
	b := newBuffer(1000)
	for range 10 {
		b.filled(len(b.space()))
		b.use(len(b.bytes()))
	}
	if len(b.b) != maxBuffer {
		t.Errorf("buffer of %d bytes after full reads, want %d", len(b.b), maxBuffer)
	}
	b.space()
	b.filled(100)
	b.trim()
	if len(b.b) != maxBuffer {
		t.Errorf("buffer of %d bytes after a busy time, want %d", len(b.b), maxBuffer)
	}
	b.trim()
	if len(b.b) != minBuffer || len(b.bytes()) != 100 {
		t.Errorf("buffer of %d bytes with %d held after an idle time, want %d with 100", len(b.b), len(b.bytes()), minBuffer)
	}
}

func TestBufferHoldsTheLongestMessage(t *testing.T) {
	const need = 1 << 20
	b := newBuffer(need)
	for len(b.bytes()) < need {
		b.space()
		b.filled(1)
	}
	if n := len(b.space()); n < need {
		t.Errorf("%d bytes of space beside the longest message, want %d at least", n, need)
	}
}

func TestBufferKeepsBytesInOrderAndCopiesEachOnce(t *testing.T) {
	const need = 10_000
	r := rand.New(rand.NewPCG(1, 2))
	b := newBuffer(need)
	var in, out []byte
	moved := 0
	for len(in) < 5_000_000 {
		at, held := b.r, len(b.bytes())
		space := b.space()
		if b.r != at {
			moved += held
		}
		n := min(1+r.IntN(300), len(space))
		if r.IntN(100) == 0 {
			n = len(space)
		}
		for i := range n {
			space[i] = byte(len(in) + i)
		}
		in = append(in, space[:n]...)
		b.filled(n)
		if len(b.bytes()) > need || r.IntN(4) == 0 {
			take := r.IntN(len(b.bytes()) + 1)
			take = max(take, len(b.bytes())-need)
			out = append(out, b.bytes()[:take]...)
			b.use(take)
		}
		if r.IntN(5000) == 0 {
			b.trim()
		}
	}
	out = append(out, b.bytes()...)
	if !bytes.Equal(in, out) {
		t.Error("bytes were lost or mixed up")
	}
	if moved > len(in) {
		t.Errorf("%d bytes were moved for %d that were read", moved, len(in))
	}
}
