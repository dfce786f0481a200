package deflate

import (
	"encoding/binary"
	"slices"
)

// bitWriter writes bits, the lowest first (RFC 1951 section 3.1.1). It writes
// eight bytes at a time, so out is always longer than what is written.
type bitWriter struct {
	out []byte // all of it may be written to
	pos int    // whole bytes written
	acc uint64 // bits that are not a byte yet
	n   uint   // how many, less than 8
}

func (w *bitWriter) reset(out []byte) {
	w.out, w.pos, w.acc, w.n = out[:cap(out)], len(out), 0, 0
}

// ensure makes room for n bytes and the eight that put touches.
func (w *bitWriter) ensure(n int) {
	if n += 8; w.pos+n > len(w.out) {
		w.out = slices.Grow(w.out[:w.pos], n)
		w.out = w.out[:cap(w.out)]
	}
}

// put writes the lowest n bits of v, at most 56. The others are 0.
func (w *bitWriter) put(v uint64, n uint) {
	w.acc |= v << w.n
	w.n += n
	binary.LittleEndian.PutUint64(w.out[w.pos:], w.acc)
	w.pos += int(w.n >> 3)
	w.acc >>= w.n &^ 7
	w.n &= 7
}

// length returns how many bytes there are, the last of which may not be full.
func (w *bitWriter) length() int { return w.pos + int(w.n+7)>>3 }

// finish fills the last byte with zeros and returns all.
func (w *bitWriter) finish() []byte {
	if w.n > 0 {
		w.out[w.pos] = byte(w.acc)
		w.pos++
		w.acc, w.n = 0, 0
	}
	return w.out[:w.pos]
}
