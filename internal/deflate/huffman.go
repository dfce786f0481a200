package deflate

import (
	"math/bits"
	"slices"
)

const (
	literalSymbols  = 286 // literals, end of block, lengths
	distanceSymbols = 30
	endOfBlock      = 256
	maxCodeBits     = 15
)

// blockCodes are the Huffman codes of a block. An entry that is ready to be
// written holds its bits from bit 8 on, and how many in the lower 8.
type blockCodes struct {
	literalCount  [literalSymbols]uint32
	distanceCount [distanceSymbols + 2]uint32

	literal  [256]uint32
	length   [256]uint32 // by length less 3, with its extra bits
	distance [32]uint32  // by symbol, without them
	end      uint32

	lengths [literalSymbols + distanceSymbols]uint8
	runs    [literalSymbols + distanceSymbols]run
}

// count counts the symbols of a block.
func (c *blockCodes) count(sequences []sequence, literals []byte) {
	clear(c.literalCount[:])
	clear(c.distanceCount[:])
	for _, b := range literals {
		c.literalCount[b]++
	}
	for _, s := range sequences {
		if s.length() != 0 {
			c.literalCount[257+int(lengthSymbol[uint8(s.length()-3)])]++
			c.distanceCount[distanceSymbol(s.distance())&31]++
		}
	}
	c.literalCount[endOfBlock] = 1
}

// run is one symbol of the alphabet in which code lengths are written, with the
// bits that follow it.
type run struct{ symbol, extra, bits uint8 }

// lengthOrder is the order in which lengths of code length codes are written.
var lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// write makes the codes of what was counted and writes a block's header (RFC
// 1951 section 3.2.7). last is 1 for the last block.
func (c *blockCodes) write(w *bitWriter, last uint64) {
	var literals [literalSymbols]uint8
	var distances [distanceSymbols]uint8
	codeLengths(c.literalCount[:], maxCodeBits, literals[:])
	codeLengths(c.distanceCount[:distanceSymbols], maxCodeBits, distances[:])
	c.prepare(literals[:], distances[:])

	nlit, ndist := literalSymbols, distanceSymbols
	for nlit > 257 && literals[nlit-1] == 0 {
		nlit--
	}
	for ndist > 1 && distances[ndist-1] == 0 {
		ndist--
	}
	all := append(append(c.lengths[:0], literals[:nlit]...), distances[:ndist]...)
	runs := appendRuns(c.runs[:0], all)
	var counts [19]uint32
	for _, r := range runs {
		counts[r.symbol]++
	}
	var lengths [19]uint8
	codeLengths(counts[:], 7, lengths[:])
	var codes [19]uint32
	assign(lengths[:], codes[:])
	n := len(lengthOrder)
	for n > 4 && lengths[lengthOrder[n-1]] == 0 {
		n--
	}
	w.put(last|2<<1|uint64(nlit-257)<<3|uint64(ndist-1)<<8|uint64(n-4)<<13, 17)
	for _, symbol := range lengthOrder[:n] {
		w.put(uint64(lengths[symbol]), 3)
	}
	for _, r := range runs {
		code := codes[r.symbol]
		w.put(uint64(code>>8), uint(code&0xFF))
		w.put(uint64(r.extra), uint(r.bits))
	}
}

// prepare makes the entries that are written.
func (c *blockCodes) prepare(literals, distances []uint8) {
	var codes [literalSymbols]uint32
	assign(literals, codes[:])
	copy(c.literal[:], codes[:256])
	c.end = codes[endOfBlock]
	for i := range c.length {
		symbol := lengthSymbol[i]
		code := codes[257+int(symbol)]
		n := code & 0xFF
		extra := uint32(i+3-lengthBase[symbol]) << n
		c.length[i] = code + extra<<8 + uint32(lengthExtra[symbol])
	}
	assign(distances, c.distance[:distanceSymbols])
}

// appendRuns writes code lengths in run lengths (RFC 1951 section 3.2.7).
func appendRuns(runs []run, lengths []uint8) []run {
	for len(lengths) > 0 {
		length, n := lengths[0], 1
		for n < len(lengths) && lengths[n] == length {
			n++
		}
		lengths = lengths[n:]
		if length != 0 {
			runs = append(runs, run{length, 0, 0})
			n--
		}
		for n >= 3 {
			switch {
			case length != 0:
				k := min(n, 6)
				runs = append(runs, run{16, uint8(k - 3), 2})
				n -= k
			case n <= 10:
				runs = append(runs, run{17, uint8(n - 3), 3})
				n = 0
			default:
				k := min(n, 138)
				runs = append(runs, run{18, uint8(k - 11), 7})
				n -= k
			}
		}
		for range n {
			runs = append(runs, run{length, 0, 0})
		}
	}
	return runs
}

// codeLengths finds the lengths of a Huffman code, none longer than limit: 0 for
// a symbol that does not occur. The code is always complete, since there are
// decoders that refuse another: with less than two symbols others get a code
// that nothing uses.
func codeLengths(counts []uint32, limit int, lengths []uint8) {
	var sorted [literalSymbols]uint64
	n := 0
	for symbol, count := range counts {
		lengths[symbol] = 0
		if count > 0 {
			sorted[n] = uint64(count)<<16 | uint64(symbol)
			n++
		}
	}
	for symbol := 0; n < 2; symbol++ {
		if counts[symbol] == 0 {
			sorted[n] = 1<<16 | uint64(symbol)
			n++
		}
	}
	slices.Sort(sorted[:n])

	// Leaves come first, in order, inner nodes behind them, in order, too, as
	// each is made of the two least that are left.
	var weight [2 * literalSymbols]uint64
	var parent [2 * literalSymbols]int
	for i, s := range sorted[:n] {
		weight[i] = s >> 16
	}
	leaf, inner := 0, n
	for next := n; next < 2*n-1; next++ {
		for range 2 {
			least := inner
			if leaf < n && (inner == next || weight[leaf] <= weight[inner]) {
				least = leaf
				leaf++
			} else {
				inner++
			}
			weight[next] += weight[least]
			parent[least] = next
		}
	}
	var depth [2 * literalSymbols]int
	var count [maxCodeBits + 1]int // codes of a length
	for i := 2*n - 3; i >= 0; i-- {
		depth[i] = depth[parent[i]] + 1
		if i < n {
			count[min(depth[i], limit)]++
		}
	}
	shorten(count[:limit+1])
	i := 0 // the rarest get the longest
	for length := limit; length > 0; length-- {
		for range count[length] {
			lengths[uint16(sorted[i])] = uint8(length)
			i++
		}
	}
}

// shorten makes a code of codes that were cut to the greatest length: cutting
// gives out more of them than there are (Kraft's inequality). For each that is
// too much, one that is shorter becomes two that are longer by one, and one of
// the longest takes the place that this makes.
func shorten(count []int) {
	limit := len(count) - 1
	used := 0
	for length := 1; length <= limit; length++ {
		used += count[length] << (limit - length)
	}
	for ; used > 1<<limit; used-- {
		length := limit - 1
		for count[length] == 0 {
			length--
		}
		count[length]--
		count[length+1] += 2
		count[limit]--
	}
}

// assign gives codes to lengths (RFC 1951 section 3.2.2), as entries that are
// ready to be written, the first bit lowest.
func assign(lengths []uint8, codes []uint32) {
	var next [maxCodeBits + 2]uint16
	for _, length := range lengths {
		if length > 0 {
			next[length+1]++
		}
	}
	for length := 1; length < len(next); length++ {
		next[length] += next[length-1]
		next[length] <<= 1
	}
	for symbol, length := range lengths {
		codes[symbol] = 0
		if length > 0 {
			code := next[length]
			next[length]++
			codes[symbol] = uint32(bits.Reverse16(code)>>(16-length))<<8 | uint32(length)
		}
	}
}
