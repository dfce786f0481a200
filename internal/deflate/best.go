package deflate

import "math/bits"

// seen is how many bytes of a candidate are looked at to choose among them.
const seen = 16

// best2Go compares the 16 bytes at pos with those at the four positions of
// bucket b, and those at pos+1 with those of b1. Of each bucket it returns the
// rank of the best: of most equal bytes, and of these the nearest. There is no
// branch in it, as none could be guessed.
func best2Go(w *window, pos int, b, b1 uint64) (k, k1 int) {
	v, v1 := w.at(pos), w.at(pos+8)
	return best(w, pos, v, v1, b), best(w, pos+1, v>>8|v1<<56, w.at(pos+9), b1)
}

func best(w *window, pos int, v, v1, b uint64) int {
	q := pos - 1
	d0 := (q - int(b)) & (maxDistance - 1) // less by one than the distance
	d1 := (q - int(b>>16)) & (maxDistance - 1)
	d2 := (q - int(b>>32)) & (maxDistance - 1)
	d3 := (q - int(b>>48)) & (maxDistance - 1)
	x0, y0 := v^w.at(q-d0), v1^w.at(q-d0+8)
	x1, y1 := v^w.at(q-d1), v1^w.at(q-d1+8)
	x2, y2 := v^w.at(q-d2), v1^w.at(q-d2+8)
	x3, y3 := v^w.at(q-d3), v1^w.at(q-d3+8)
	l0, m0 := bits.TrailingZeros64(x0), bits.TrailingZeros64(y0)+64
	l1, m1 := bits.TrailingZeros64(x1), bits.TrailingZeros64(y1)+64
	l2, m2 := bits.TrailingZeros64(x2), bits.TrailingZeros64(y2)+64
	l3, m3 := bits.TrailingZeros64(x3), bits.TrailingZeros64(y3)+64
	if x0 == 0 {
		l0 = m0
	}
	if x1 == 0 {
		l1 = m1
	}
	if x2 == 0 {
		l2 = m2
	}
	if x3 == 0 {
		l3 = m3
	}
	return max(l0>>3<<16-d0, l1>>3<<16-d1, l2>>3<<16-d2, l3>>3<<16-d3) + 0xFFFF
}

// ranked takes a rank apart. The distance may be beyond the stream's beginning.
func ranked(k int) (length, distance int) { return k >> 16, 0x10000 - k&0xFFFF }
