package cwl

const (
	// MaxJSON is the most JSON in a document, in bytes before compression.
	// Lambda functions that consume larger ones fail or loop.
	MaxJSON = 3_000_000
	// MaxRecord is the most bytes of a record: what Firehose takes, before
	// base64.
	MaxRecord = 1_024_000
	// MaxText is how long header and text of an event may be together to be
	// sure to fit into an empty document, whatever their bytes.
	MaxText = 262_144
)

const trailerSize = 8 // of a gzip member

// mostHeld returns how many bytes a compressor may still make of what it has
// been given, besides those that it has written out. Levels 1 to 6 compress a
// window of 65,535 bytes whenever it is full; the others look ahead in such a
// window and besides gather a block of 32,768 tokens, none of which is longer
// than 4 bytes on average.
func mostHeld(level int) int {
	if level > 6 {
		return 64<<10 + 4*32<<10
	}
	return 64 << 10
}

// fits tells whether the JSON so far leaves room for the document's end.
func (b *Builder) fits() bool {
	return b.given+len(b.chunk)+len(tail) <= MaxJSON
}

// surelyFits tells whether the record stays within MaxRecord even if nothing
// of what is not yet written out can be compressed.
func (b *Builder) surelyFits() bool {
	open := min(b.given, b.held) + len(b.chunk) + len(tail)
	// Where deflate finds nothing to save it stores, at 5 bytes a block; a
	// block that is no longer in its window costs a per cent more. With a
	// 64th and 1 KiB this is on the safe side.
	return len(b.out.b)+open+open/64+1024+trailerSize <= MaxRecord
}

// turnsOutToFit compresses what there is, to have its size instead of a bound:
// a text of control characters is six times as long in JSON, but nearly all of
// that compresses away. It ends a deflate block early, so it is only for
// the first event of a document, where refusing would be final.
func (b *Builder) turnsOutToFit() bool {
	b.compress()
	if err := b.gz.Flush(); err != nil {
		b.err = err
	}
	return b.err == nil && len(b.out.b)+len(tail)+64+trailerSize <= MaxRecord
}
