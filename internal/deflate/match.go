package deflate

import "math/bits"

const (
	minMatch = 5 // what the table finds; follow takes 4
	maxMatch = 258
	maxRun   = 1024 // literals in a row, to go on faster where nothing matches

	tableBits = 14
	buckets   = 1 << tableBits

	// further is how many bytes search goes on for a longer match.
	further = 4
)

// The table knows where sequences of five bytes stand: a bucket holds the last
// four positions, the lower 16 bits of each, of which 15 are used, with the
// last one lowest. A position that is older than the window looks like one in
// the window, and is found out by comparing what stands there.

func bucket(v uint64) uint64 {
	const prime = 0x9E3779B185EBCA87 // 2^64 divided by the golden ratio (Knuth 6.4)
	return (v << 24) * prime >> (64 - tableBits)
}

// index enters positions into the table up to pos, or up to 15 more. They are
// entered sixteen at a time, which lets the processor go ahead; so a match does
// not begin less than 16 bytes before, but for luck.
func (e *Encoder) index(pos int) {
	for e.indexed < pos {
		i := e.indexed
		for range 4 {
			v := e.at(i)
			b := bucket(v)
			e.table[b] = e.table[b]<<16 | uint64(uint16(i))
			b = bucket(v >> 8)
			e.table[b] = e.table[b]<<16 | uint64(uint16(i+1))
			b = bucket(v >> 16)
			e.table[b] = e.table[b]<<16 | uint64(uint16(i+2))
			b = bucket(v >> 24)
			e.table[b] = e.table[b]<<16 | uint64(uint16(i+3))
			i += 4
		}
		e.indexed = i
	}
}

// extend returns how many bytes at pos are the same as those distance before
// it, at most 258, if the first length of them are known to be.
func (e *Encoder) extend(pos, distance, length int) int {
	for length < maxMatch {
		if x := e.at(pos+length) ^ e.at(pos-distance+length); x != 0 {
			return min(length+bits.TrailingZeros64(x)>>3, maxMatch)
		}
		length += 8
	}
	return maxMatch
}

// find returns the longest match at pos that the table knows of, at most 258
// bytes, and how long the one at the next byte is, or at least that it is
// longer. The distance may be beyond the stream's beginning, the length beyond
// its end.
func (e *Encoder) find(pos int) (length, distance, next int) {
	v := e.at(pos)
	k, k1 := best2(&e.window, pos, e.table[bucket(v)], e.table[bucket(v>>8)])
	length, distance = ranked(k)
	next, d := ranked(k1)
	if length == seen {
		length = e.extend(pos, distance, seen)
		if next == seen {
			next = e.extend(pos+1, d, seen)
		}
	}
	return length, distance, next
}

// search makes sequences of the bytes up to end. The last match may go beyond.
func (e *Encoder) search(end int) {
	pos, lit := e.pos, e.pos // literals from lit on are in no sequence yet
	for pos < end {
		if e.indexed <= pos-16 {
			e.index(pos - 15)
		}
		from := pos
		length, distance, next := e.find(pos)
		for next > length && pos < from+further {
			pos++
			length, distance, next = e.find(pos)
		}
		limit := min(maxMatch, e.end-pos)
		if length < minMatch || distance > pos-e.first || limit < minMatch {
			if pos = from + 2; pos-lit > maxRun {
				pos = min(pos, end)
				e.add(lit, pos, 0, 1)
				lit = pos
			}
			continue
		}
		if length < limit {
			length, distance = e.longer(pos, length, distance, limit)
		} else {
			length = limit
		}
		for pos > lit && length < maxMatch && pos-distance > e.first && e.memory[pos-1] == e.memory[pos-1-distance] {
			pos--
			length++
		}
		e.add(lit, pos, length, distance)
		pos += length
		lit = pos
	}
	if lit < end {
		e.add(lit, end, 0, 1)
		pos = end
	}
	e.pos = pos
}

// longer looks where else the end of a match stands: what matches there may do
// so from the match's beginning, and go on. It returns the longest, at most limit.
func (e *Encoder) longer(pos, length, distance, limit int) (int, int) {
	last := pos + length - (minMatch - 1) // with one byte that did not match
	v := e.at(pos)
	shift := uint(64-length*8) & 63
	if length >= 8 {
		shift = 0
	}
	for b, i := e.table[bucket(e.at(last))], 0; i < 4; i++ {
		d := (last-1-int(b))&(maxDistance-1) + 1
		b >>= 16
		if (e.at(pos-d)^v)<<shift == 0 && d <= pos-e.first {
			if l := min(e.extend(pos, d, 0), limit); l > length {
				length, distance = l, d
			}
		}
	}
	return length, distance
}

// follow makes sequences of the bytes up to end, which are likely those distance
// before them. They are not entered into the table. The last match may go beyond.
func (e *Encoder) follow(end, distance int) {
	if distance < 1 || distance > maxDistance || e.pos-distance < e.first {
		e.search(end)
		return
	}
	e.index(e.pos)
	pos, lit := e.pos, e.pos
	for pos < end {
		length := min(e.extend(pos, distance, 0), e.end-pos)
		if length < 4 {
			pos = min(pos+max(length, 1), end)
			continue
		}
		e.add(lit, pos, length, distance)
		pos += length
		lit = pos
	}
	if lit < end {
		e.add(lit, end, 0, 1)
	}
	e.pos = pos
	e.indexed = max(e.indexed, pos)
}
