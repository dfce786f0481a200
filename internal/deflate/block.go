package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	maxSequences = 8192
	maxLiterals  = 32 << 10
	literalSlack = 16 // add copies eight bytes at a time, emit looks at three

	// maxHeader is the most bytes that a block has besides its literals and
	// matches: 17 bits, 19 code lengths of 3, 316 of at most 7 and 7 more, the
	// end of block and what fills the last byte.
	maxHeader = 600
)

// sequence is a run of literals, how many in the upper 32 bits, then a match:
// its length in 16 bits, 0 if there is none, and its distance less one.
type sequence uint64

func (s sequence) literals() int    { return int(s >> 32) }
func (s sequence) length() int      { return int(s >> 16 & 0xFFFF) }
func (s sequence) distance() uint32 { return uint32(s & 0xFFFF) } // less one

// add adds the literals from position lit to pos, and a match at pos. A length
// of 0 is none.
func (e *Encoder) add(lit, pos, length, distance int) {
	n := pos - lit
	if e.nseq == maxSequences || e.nlit+n > maxLiterals {
		e.block(false)
	}
	// Mostly there are few, if any: eight are copied without asking.
	binary.LittleEndian.PutUint64(e.literals[e.nlit:], e.at(lit))
	for i := 8; i < n; i += 8 {
		binary.LittleEndian.PutUint64(e.literals[e.nlit+i:], e.at(lit+i))
	}
	e.nlit += n
	e.sequences[e.nseq] = sequence(n)<<32 | sequence(length)<<16 | sequence(distance-1)
	e.nseq++
}

// block writes what was gathered as a block with codes of its own (RFC 1951
// section 3.2.7). An empty one, which only ends the stream, has the fixed codes.
func (e *Encoder) block(final bool) {
	last := uint64(0)
	if final {
		last = 1
	}
	e.bits.ensure(maxHeader + e.nlit*2 + e.nseq*8)
	if e.nseq == 0 {
		e.bits.put(last|1<<1, 3+7)
		return
	}
	e.codes.count(e.sequences[:e.nseq], e.literals[:e.nlit])
	e.codes.write(&e.bits, last)
	e.emit()
	e.nseq, e.nlit = 0, 0
}

// emit writes the block's sequences and its end. No literal takes more than 15
// bits, no length 20 and no distance 28, and what waits in the writer is less
// than 8: so three literals, or a length and a distance, fit into 64.
func (e *Encoder) emit() {
	c := &e.codes
	out, pos, acc, n := e.bits.out, e.bits.pos, e.bits.acc, e.bits.n
	literals := e.literals[:]
	for _, s := range e.sequences[:e.nseq] {
		run := s.literals()
		for ; run > 3; run -= 3 {
			for _, b := range literals[:3] {
				x := c.literal[b]
				acc |= uint64(x>>8) << (n & 63)
				n += uint(x & 0xFF)
			}
			literals = literals[3:]
			binary.LittleEndian.PutUint64(out[pos:], acc)
			pos += int(n >> 3)
			acc >>= n &^ 7 & 63
			n &= 7
		}
		// Up to three more, without a branch.
		three := literals[:3]
		m := &upTo[run&3]
		x := c.literal[three[0]] & m[0]
		acc |= uint64(x>>8) << (n & 63)
		n += uint(x & 0xFF)
		x = c.literal[three[1]] & m[1]
		acc |= uint64(x>>8) << (n & 63)
		n += uint(x & 0xFF)
		x = c.literal[three[2]] & m[2]
		acc |= uint64(x>>8) << (n & 63)
		n += uint(x & 0xFF)
		literals = literals[run:]
		if s.length() != 0 {
			binary.LittleEndian.PutUint64(out[pos:], acc)
			pos += int(n >> 3)
			acc >>= n &^ 7 & 63
			n &= 7
			x := c.length[uint8(s.length()-3)]
			acc |= uint64(x>>8) << (n & 63)
			n += uint(x & 0xFF)
			d := s.distance()
			symbol := distanceSymbol(d) & 31
			x = c.distance[symbol]
			acc |= uint64(x>>8) << (n & 63)
			n += uint(x & 0xFF)
			extra := uint(distanceExtra[symbol])
			acc |= uint64(d&(1<<extra-1)) << (n & 63)
			n += extra
		}
		binary.LittleEndian.PutUint64(out[pos:], acc)
		pos += int(n >> 3)
		acc >>= n &^ 7 & 63
		n &= 7
	}
	e.bits.pos, e.bits.acc, e.bits.n = pos, acc, n
	e.bits.put(uint64(c.end>>8), uint(c.end&0xFF))
}

// upTo masks the first of three entries.
var upTo = [4][3]uint32{{}, {^uint32(0)}, {^uint32(0), ^uint32(0)}, {^uint32(0), ^uint32(0), ^uint32(0)}}

// The lengths that length symbols begin with, and how many bits follow them;
// how many follow distance symbols (RFC 1951 section 3.2.5).
var (
	lengthBase = [29]int{
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
	}
	lengthExtra   = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceExtra = [32]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// lengthSymbol is the symbol of a length less 3, less 257.
var lengthSymbol = func() (t [256]uint8) {
	symbol := 0
	for length := 3; length <= maxMatch; length++ {
		if symbol < 28 && length == lengthBase[symbol+1] {
			symbol++
		}
		t[length-3] = uint8(symbol)
	}
	return t
}()

// distanceSymbol is the symbol of a distance less one.
func distanceSymbol(d uint32) uint32 {
	// The two highest bits make the symbol, but below 4 it is the distance.
	if d < 4 {
		return d
	}
	n := uint32(bits.Len32(d)) - 2
	return 2*n + d>>n
}
