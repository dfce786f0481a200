// Package deflate compresses log documents (RFC 1951). It is what the relay
// spends most of its time on, and is here because it takes 0.6 to 0.8 of the time
// of a general compressor for records as small: it is told where the text
// repeats itself, and is built for processors to which a wrong guess of a
// branch costs more than the comparison that would have spared it.
//
// The way of a byte: window.go keeps the last 32 KiB, match.go finds in them
// what stands there already, block.go writes literals and matches in Huffman
// codes, which huffman.go makes.
package deflate

// Hint says of bytes that are written that they are, for the most part, the
// same as those Distance before them: what stands between two messages, which
// differs in a few digits. A wrong hint costs room, never correctness.
type Hint struct {
	Offset   int // of the first of these bytes in what is written
	Length   int // bytes, from 1 to MaxHint
	Distance int // bytes; more than 32,768, or beyond the beginning, is as good as no hint
}

// within tells whether a hint is one, for n bytes that are written.
func (h Hint) within(n int) bool {
	return h.Length >= 1 && h.Length <= MaxHint && h.Offset >= 0 && h.Offset <= n-h.Length
}

// MaxHint is how many bytes a hint may speak of.
const MaxHint = 1024

// Encoder makes DEFLATE streams, one after the other. What it makes depends
// only on what was written since Reset, and in which pieces. It takes 360 KiB
// and allocates nothing once the stream's buffer is large enough. Not for
// concurrent use.
type Encoder struct {
	window
	pos     int             // in the window: all before it is in sequences
	indexed int             // in the window: all before it is in the table, or never will be
	table   [buckets]uint64 // see match.go

	// The block that is being gathered: each sequence is a run of literals
	// and the match behind them.
	sequences [maxSequences]sequence
	literals  [maxLiterals + literalSlack]byte
	nseq      int
	nlit      int

	bits   bitWriter
	codes  blockCodes
	closed bool
}

// NewEncoder returns an Encoder on which Reset has been called.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.Reset(nil)
	return e
}

// Reset begins a stream behind what is in out, which the Encoder may use from
// now on. What Close returned before becomes invalid if out is the same memory.
func (e *Encoder) Reset(out []byte) {
	e.window.reset()
	clear(e.table[:])
	e.pos, e.indexed = e.end, e.end
	e.nseq, e.nlit = 0, 0
	e.bits.reset(out)
	e.closed = false
}

// Write compresses p. The hints are in the order of their offsets and do not
// overlap; one that does not lie within p is not looked at. It must not be
// called after Close.
func (e *Encoder) Write(p []byte, hints []Hint) {
	for done := 0; done < len(p); {
		piece := p[done:min(len(p), done+maxPiece)]
		if e.full(len(piece)) {
			dropped := e.slide(e.pos)
			e.pos -= dropped
			e.indexed -= dropped
		}
		base := e.end - done // of p in the window
		e.append(piece)
		done += len(piece)
		for len(hints) > 0 {
			h := hints[0]
			sound := h.within(len(p))
			if sound && h.Offset+h.Length > done {
				break
			}
			hints = hints[1:]
			if sound {
				e.search(base + h.Offset)
				e.follow(base+h.Offset+h.Length, h.Distance)
			}
		}
		// The rest waits for the end of its hint.
		if len(hints) > 0 {
			e.search(min(base+hints[0].Offset, e.end))
		} else {
			e.search(e.end)
		}
	}
}

// Flush writes out what was gathered, so that Bound(0) is at most 1,250 bytes too
// much. It ends a block, which costs about 80 bytes.
func (e *Encoder) Flush() {
	if e.nseq > 0 {
		e.block(false)
	}
}

// Bound returns the most bytes that the stream has, with what is in front of it,
// if it is closed after n more bytes, without a Flush.
func (e *Encoder) Bound(n int) int {
	// Huffman codes of a block are never worse in all than 9 bits for each of
	// 286 symbols and 5 for each of 30 distances. So a match takes at most 4
	// bytes with its extra bits, which is no more than it stands for, and a
	// literal 9 bits; each block has its codes in front.
	literals := e.nlit + n
	blocks := 2 + n/(maxLiterals-2*maxRun) + n/maxSequences
	return e.bits.length() + literals + literals/8 + 1 + 4*e.nseq + blocks*maxHeader
}

// Close ends the stream and returns it with what was in front of it. It stays
// valid until the next Reset.
func (e *Encoder) Close() []byte {
	if !e.closed {
		e.block(true)
		e.closed = true
	}
	return e.bits.finish()
}
