package gelf

import "errors"

// Errors of a datagram that begins like a chunk and is none.
var (
	ErrChunkHeader   = errors.New("gelf: chunk of fewer than 12 bytes")
	ErrChunkCount    = errors.New("gelf: chunk of a message of no chunks or more than 128")
	ErrChunkSequence = errors.New("gelf: chunk with a number beyond the last")
)

// Reason says in one word why chunks came to nothing. It is fit for a metrics
// label.
type Reason string

// Reasons of a Loss.
const (
	Duplicate    Reason = "chunk_duplicate"   // the same chunk again: nothing is lost
	Conflict     Reason = "chunk_conflict"    // pushed out by another message with the same id
	Expired      Reason = "chunk_expired"     // not complete within the lifetime
	TooLong      Reason = "chunk_too_long"    // more bytes than a message may have
	SenderIsFull Reason = "chunk_sender_full" // the oldest of a sender that has too many
	Full         Reason = "chunk_full"        // the oldest of all
	Stopped      Reason = "chunk_stopped"     // incomplete at Close
)

// Loss is one message that will not come, of which at least one chunk had come;
// with Duplicate it is a datagram that nobody misses.
type Loss struct {
	Reason Reason
	Chunks int // that had come
	Bytes  int // in them, without their headers
}
