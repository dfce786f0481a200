package deflate

import "encoding/binary"

const (
	maxDistance = 32768
	maxPiece    = 32 << 10 // of what is written at a time

	// windowSize is a power of two, so that masking an index keeps it within
	// the memory without a comparison; it never changes one. There is room for
	// what matches may reach back to, for up to as much again until that can be
	// dropped, and for a piece.
	windowSize = 128 << 10
	windowMask = windowSize - 1

	// before is how much memory there is before the first byte: candidates that
	// lie there are compared like any other, and then given up.
	before = maxDistance
	// slack is how far behind the last byte is read, and found to be zero.
	slack = 512
)

// window holds the last bytes of the stream. Indices into it are called
// positions; the lower 15 bits of a byte's position never change.
type window struct {
	memory [windowSize + 8]byte // best2 wants it to be first
	first  int                  // position of the stream's first byte; negative once it is gone
	end    int                  // position behind its last byte
}

func (w *window) reset() {
	clear(w.memory[:before])
	w.first, w.end = before, before
}

// full tells whether n bytes, at most maxPiece, do not fit.
func (w *window) full(n int) bool { return w.end+n > windowSize-slack }

// slide drops what is out of reach from position pos on and returns by how much
// positions have become less.
func (w *window) slide(pos int) (dropped int) {
	dropped = (pos - before) &^ (maxDistance - 1)
	copy(w.memory[:], w.memory[dropped:w.end])
	w.first -= dropped
	w.end -= dropped
	return dropped
}

// append puts p behind the last byte, and zeros behind it, so that what is read
// there is always the same.
func (w *window) append(p []byte) {
	w.end += copy(w.memory[w.end:w.end+len(p)], p)
	clear(w.memory[w.end : w.end+slack])
}

// at returns the eight bytes at pos.
func (w *window) at(pos int) uint64 {
	i := pos & windowMask
	return binary.LittleEndian.Uint64(w.memory[i : i+8])
}
