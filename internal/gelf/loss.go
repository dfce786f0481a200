package gelf

// Reason says in one word why chunks came to nothing. It is fit for a metrics
// label.
type Reason string

// Reasons of a Loss. The first three are about a single datagram, the others
// about a message of which at least one chunk had come.
const (
	ShortHeader  Reason = "chunk_header"      // fewer than 12 bytes
	BadCount     Reason = "chunk_count"       // a number of chunks other than 1 to 128
	BadSequence  Reason = "chunk_sequence"    // a number beyond the last chunk
	Duplicate    Reason = "chunk_duplicate"   // the same chunk again: nothing is lost
	Conflict     Reason = "chunk_conflict"    // pushed out by another message with the same id
	Expired      Reason = "chunk_expired"     // not complete within the lifetime
	TooLong      Reason = "chunk_too_long"    // more bytes than a message may have
	SenderIsFull Reason = "chunk_sender_full" // the oldest of a sender that has too many
	Full         Reason = "chunk_full"        // the oldest of all
	Stopped      Reason = "chunk_stopped"     // incomplete at Close
)

// Loss is one message that will not come, or one datagram that belongs to none;
// with Duplicate it is a datagram that nobody misses.
type Loss struct {
	Reason Reason
	Chunks int // that had come
	Bytes  int // in them, without their headers
}
