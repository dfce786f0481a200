package cwl

// ID is the id of a log event: 56 decimal digits, namely 16 for the
// generation, 16 for the relay, 4 for the shard and 20 for the sequence number
// within the generation. Ids of one relay compare as strings in the order in
// which their messages came, and a message that is replayed gets the same id
// again. Numbers that count up cost a compressor about one byte an event where
// random ones cost twenty.
//
// An ID is a value; a copy counts on by itself. Not for concurrent use.
type ID struct {
	digits [idDigits]byte
	seq    uint64
}

// The parts of an ID, in digits.
const (
	generationDigits = 16
	relayDigits      = 16
	shardDigits      = 4
	sequenceDigits   = 20
	idDigits         = generationDigits + relayDigits + shardDigits + sequenceDigits
)

// NewID returns the ID of sequence number 0. Of generation and relay the lower
// 16 decimal digits count, of shard the lower 4.
func NewID(generation, relay uint64, shard int) ID {
	var id ID
	rest := id.digits[:]
	render(rest[:generationDigits], generation)
	rest = rest[generationDigits:]
	render(rest[:relayDigits], relay)
	rest = rest[relayDigits:]
	render(rest[:shardDigits], uint64(shard))
	rest = rest[shardDigits:]
	render(rest, 0)
	return id
}

// Set makes seq the sequence number. The number after the one set before is
// had by counting up the digits; any other is written anew.
func (id *ID) Set(seq uint64) {
	previous := id.seq
	id.seq = seq
	if seq == 0 || seq != previous+1 {
		render(id.digits[idDigits-sequenceDigits:], seq)
		return
	}
	// The digits end before the sequence number runs over: 20 of them hold
	// every uint64.
	for i := idDigits - 1; ; i-- {
		if id.digits[i] < '9' {
			id.digits[i]++
			return
		}
		id.digits[i] = '0'
	}
}

// String returns the 56 digits.
func (id *ID) String() string { return string(id.digits[:]) }

// render fills dst with the lower digits of n, padded with zeros.
func render(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}
