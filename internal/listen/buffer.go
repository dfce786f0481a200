package listen

import "math/bits"

const (
	minBuffer = 4 << 10   // of an idle connection
	maxBuffer = 256 << 10 // of a busy one, if messages are not longer
)

// buffer holds what was read from a connection and not yet used. It grows
// while reads fill it, so that a busy connection needs few reads, and shrinks
// back when it is not made use of, so that idle connections cost little. With a
// lender it has a large space only while there is something to be read, and
// grows only for long messages.
type buffer struct {
	b     []byte
	r, w  int // b[r:w] is held
	limit int
	// limits are asked for all but the first minBuffer bytes.
	limits *Limits
	full   bool // the last read filled all the space there was
	peak   int  // the most that was held since the last trim

	lender *lender // nil: it reads into its own memory only
	own    []byte  // what b was before memory was borrowed; nil: nothing is borrowed
}

// newBuffer returns a buffer that can always take more while it holds at most
// need bytes.
func newBuffer(need int) *buffer {
	return &buffer{b: make([]byte, minBuffer), limit: max(maxBuffer, powerOfTwo(2*need))}
}

// space returns where to read into. It is at least half of the buffer: so moving
// what is held to the front costs less than a copy of each byte that is read.
// Only where there is no more memory it is less, and empty if what is held fills
// the buffer.
func (b *buffer) space() []byte {
	held := b.w - b.r
	switch {
	case held == 0 && !b.full:
		b.r, b.w = 0, 0
	case (b.full || held > len(b.b)/2) && len(b.b) < b.limit && b.limits.use(len(b.b), held > len(b.b)/2):
		b.resize(2 * len(b.b))
	case len(b.b)-b.w < len(b.b)/2:
		b.w = copy(b.b, b.b[b.r:b.w])
		b.r = 0
	}
	return b.b[b.w:]
}

// filled says that a read put n bytes into the space.
func (b *buffer) filled(n int) {
	b.full = n > 0 && n == len(b.b)-b.w
	b.w += n
	if b.own == nil {
		b.peak = max(b.peak, b.w-b.r)
	}
}

// borrow makes the space a large one until settle. It does nothing where there
// is no lender, and where much is held already: that would be copied again
// for each read, however little came.
func (b *buffer) borrow() {
	if b.lender == nil || b.w-b.r > minBuffer {
		return
	}
	lent := b.lender.take()
	b.w = copy(lent, b.b[b.r:b.w])
	b.own, b.b, b.r, b.full = b.b, lent, 0, false
}

// settle gives back what was borrowed. It returns false if there is no memory
// for what is held.
func (b *buffer) settle() bool {
	if b.own == nil {
		return true
	}
	held := b.bytes()
	if size := powerOfTwo(2 * len(held)); len(held) > len(b.own) {
		if !b.limits.use(size-len(b.own), true) {
			return false
		}
		b.own = make([]byte, size)
	}
	lent := b.b
	b.r, b.w, b.b, b.own = 0, copy(b.own, held), b.own, nil
	b.peak = max(b.peak, b.w)
	b.lender.giveBack(lent)
	return true
}

// bytes returns what is held. It is valid until space or trim is called.
func (b *buffer) bytes() []byte { return b.b[b.r:b.w] }

// use drops the first n bytes that are held.
func (b *buffer) use(n int) { b.r += n }

// large tells whether trim may be of use.
func (b *buffer) large() bool { return len(b.b) > minBuffer }

// trim makes the buffer as small as would have done since the last call.
func (b *buffer) trim() {
	held := b.w - b.r
	if size := max(minBuffer, powerOfTwo(2*max(b.peak, held))); size < len(b.b) {
		b.limits.free(len(b.b) - size)
		b.resize(size)
	}
	b.peak = held
}

// release gives back all memory that was asked for. The buffer is not used
// afterwards.
func (b *buffer) release() {
	if b.own != nil {
		b.lender.giveBack(b.b)
		b.b, b.own = b.own, nil
	}
	b.limits.free(len(b.b) - minBuffer)
	b.b = nil
}

func (b *buffer) resize(size int) {
	next := make([]byte, size)
	b.w = copy(next, b.b[b.r:b.w])
	b.r, b.b, b.full = 0, next, false
}

// powerOfTwo returns the smallest power of two that is at least n.
func powerOfTwo(n int) int {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len(uint(n-1))
}
