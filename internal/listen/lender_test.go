package listen

import (
	"strings"
	"testing"
)

func TestBorrowedMemoryIsGivenBackAndWhatIsHeldIsKept(t *testing.T) {
	for _, held := range []int{0, 1, minBuffer, minBuffer + 1, 100_000} {
		b := newBuffer(200_000)
		b.limits = limits(t, LimitOptions{Memory: 1 << 20})
		b.lender = newLender(200_000)
		free := len(b.lender.free)
		b.borrow()
		text := strings.Repeat("0123456789", 12_000)
		b.filled(copy(b.space(), text))
		b.use(len(text) - held)
		if !b.settle() {
			t.Fatalf("%d bytes held: there is no memory", held)
		}
		if got := string(b.bytes()); got != text[len(text)-held:] {
			t.Errorf("%d bytes held: %d others are after settle", held, len(got))
		}
		if n := len(b.lender.free); n != free {
			t.Errorf("%d bytes held: %d pieces are free after settle, want %d", held, n, free)
		}
		if used := b.limits.memory.Load(); used != int64(len(b.b)-minBuffer) {
			t.Errorf("%d bytes held: %d bytes are counted for a buffer of %d", held, used, len(b.b))
		}
		b.release()
		if used := b.limits.memory.Load(); used != 0 {
			t.Errorf("%d bytes held: %d bytes are counted at the end", held, used)
		}
	}
}

func TestMuchThatIsHeldIsNotCopiedForEachRead(t *testing.T) {
	b := newBuffer(DefaultMaxMessage)
	b.lender = newLender(DefaultMaxMessage)
	b.borrow()
	b.filled(copy(b.space(), strings.Repeat("x", minBuffer+1)))
	b.settle()
	before := &b.bytes()[0]
	b.borrow()
	b.filled(copy(b.space(), "y"))
	b.settle()
	if &b.bytes()[0] != before {
		t.Error("a byte that came made all that was held move")
	}
}

func TestWhatIsHeldIsLimitedWithBorrowedMemoryToo(t *testing.T) {
	b := newBuffer(DefaultMaxMessage)
	b.limits, b.lender = limits(t, LimitOptions{Memory: 10_000}), newLender(DefaultMaxMessage)
	free := len(b.lender.free)
	b.borrow()
	b.filled(copy(b.space(), strings.Repeat("x", 60_000)))
	if b.settle() {
		t.Error("60,000 bytes are held with a limit of 10,000")
	}
	b.release()
	if n := len(b.lender.free); n != free {
		t.Errorf("%d pieces are free at the end, want %d", n, free)
	}
}

func TestBorrowingAllocatesNothing(t *testing.T) {
	b := newBuffer(DefaultMaxMessage)
	b.lender = newLender(DefaultMaxMessage)
	for range cap(b.lender.free) {
		b.lender.giveBack(b.lender.take())
	}
	text := strings.Repeat("x", 100_000)
	n := testing.AllocsPerRun(100, func() {
		b.borrow()
		b.filled(copy(b.space(), text))
		b.use(len(text) - 200)
		b.settle()
		b.use(200)
	})
	if n != 0 {
		t.Errorf("%.0f allocations for each read, want none", n)
	}
}
