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

// fits tells whether the JSON so far leaves room for the document's end.
func (b *Builder) fits() bool {
	return b.given+len(b.chunk)+len(tail) <= MaxJSON
}

// surelyFits tells whether the record stays within MaxRecord even if nothing
// of what is not yet written out can be compressed.
func (b *Builder) surelyFits() bool {
	return b.gz.bound(len(b.chunk)+len(tail)) <= MaxRecord
}

// turnsOutToFit compresses what there is, to have its size instead of a bound:
// a text of control characters is six times as long in JSON, but nearly all of
// that compresses away. It ends a deflate block early, so it is only for
// the first event of a document, where refusing would be final.
func (b *Builder) turnsOutToFit() bool {
	b.compress()
	if err := b.gz.flush(); err != nil {
		b.err = err
	}
	return b.err == nil && b.surelyFits()
}
