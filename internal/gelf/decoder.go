package gelf

// Decoder takes datagrams the whole way: chunks together, decompression, text.
// K tells senders apart, see Reassembler. One per socket, not for concurrent
// use.
type Decoder[K comparable] struct {
	chunks   *Reassembler[K]
	inflater *Inflater
}

// NewDecoder returns a Decoder. maxText is the longest text that decompression
// may give, in bytes. report hears of chunks that came to nothing; it may be nil.
func NewDecoder[K comparable](limits Limits, maxText int, report func(from K, loss Loss)) *Decoder[K] {
	return &Decoder[K]{
		chunks:   NewReassembler(limits, report),
		inflater: NewInflater(maxText),
	}
}

// Decode takes one datagram and returns a text to hand on. It is nil if the
// message is not complete, or if the datagram came to nothing, which was then
// reported; a message without text is empty and not nil. now is in
// microseconds. The text is valid until the next call and may alias the
// datagram.
//
// A datagram that is neither chunk nor compressed is a text as it is. Nothing
// that came is withheld: with ErrTooLong the text is the head of the message,
// with ErrDamaged it is the compressed message as it came, and with
// ErrChunkHeader, ErrChunkCount and ErrChunkSequence the datagram.
func (d *Decoder[K]) Decode(now int64, from K, datagram []byte) ([]byte, error) {
	kind := magic(datagram)
	if kind == Chunk {
		message, err := d.chunks.Add(now, from, datagram)
		switch {
		case err != nil:
			return datagram, err
		case message == nil:
			return nil, nil
		}
		datagram, kind = message, magic(message)
	}
	if kind != Zlib && kind != Gzip {
		return datagram, nil
	}
	text, err := d.inflater.Inflate(kind, datagram)
	if err != nil && err != ErrTooLong {
		text = datagram
	}
	return text, err
}

// Expire gives up messages whose chunks did not come in time. Call it about
// once a second.
func (d *Decoder[K]) Expire(now int64) { d.chunks.Expire(now) }

// Close gives up all incomplete messages.
func (d *Decoder[K]) Close() { d.chunks.Close() }

// Waiting returns the number of incomplete messages, and the bytes held.
func (d *Decoder[K]) Waiting() (sets, bytes int) { return d.chunks.Waiting() }
