package gelf

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// A chunk is 2 bytes of magic, 8 of message id, its number and the number of
// chunks (one byte each), and a part of the message.
const (
	chunkMagic0 = 0x1e
	chunkMagic1 = 0x0f
	chunkHeader = 12
	maxChunks   = 128
)

// Reassembler makes messages out of chunks. K is what tells senders apart, such
// as netip.Addr: messages are told apart by sender and id, and limits hold for
// each sender and for all. Memory is bounded by Limits, plus one datagram and
// the message handed out last. Not for concurrent use.
//
// Every chunk ends in a message or is reported: per message once, whatever the
// number of its chunks, and also if some of them come after it was given up.
type Reassembler[K comparable] struct {
	limits  Limits
	report  func(K, Loss)
	seed    maphash.Seed
	sets    map[setKey[K]]*set[K]
	senders map[K]*sender[K]
	waiting list[K] // incomplete, oldest first
	settled list[K] // complete or given up, remembered for a lifetime, oldest first
	bytes   int
	out     []byte // the last message, if its chunks came in disorder
}

// NewReassembler returns an empty Reassembler. report is called from within the
// methods for each loss, and must not call them; it may be nil.
func NewReassembler[K comparable](limits Limits, report func(from K, loss Loss)) *Reassembler[K] {
	if report == nil {
		report = func(K, Loss) {}
	}
	return &Reassembler[K]{
		limits:  limits.withDefaults(),
		report:  report,
		seed:    maphash.MakeSeed(),
		sets:    make(map[setKey[K]]*set[K]),
		senders: make(map[K]*sender[K]),
		waiting: list[K]{which: inAll},
		settled: list[K]{which: inAll},
	}
}

// Add takes a datagram that begins with a chunk's magic, and returns the message
// if it was the last that was missing, else nil. now is in microseconds. The
// message is valid until the next call; the datagram is copied. An error says
// that the datagram is no chunk: it was not taken, and nothing was reported.
//
// A chunk that was there already is passed over, also after its message was
// complete. One that contradicts those that were there (another number of
// chunks, or another content under the same number) begins a new message:
// senders that use an id again mean the newer one.
func (r *Reassembler[K]) Add(now int64, from K, datagram []byte) ([]byte, error) {
	r.Expire(now)
	if len(datagram) < chunkHeader {
		return nil, ErrChunkHeader
	}
	payload := datagram[chunkHeader:]
	number, count := int(datagram[10]), int(datagram[11])
	switch {
	case count == 0 || count > maxChunks:
		return nil, ErrChunkCount
	case number >= count:
		return nil, ErrChunkSequence
	}
	k := setKey[K]{from, binary.BigEndian.Uint64(datagram[2:])}
	s := r.sets[k]
	switch {
	case s == nil:
	case s.state == lost && s.count == count && !s.has(number):
		s.parts[number] = r.hash(payload) // part of a loss that was reported
		return nil, nil
	case s.state != incomplete:
		if s.count == count && s.parts[number] == r.hash(payload) {
			r.report(from, Loss{Duplicate, 1, len(payload)})
			return nil, nil
		}
		r.forget(s)
		s = nil
	case s.count == count && !s.has(number):
	case s.count == count && bytes.Equal(s.part(number), payload):
		r.report(from, Loss{Duplicate, 1, len(payload)})
		return nil, nil
	default:
		r.giveUp(s, Conflict)
		s = nil
	}
	if s == nil {
		s = r.begin(now, k, count)
	}
	return r.put(now, s, number, payload), nil
}

func (r *Reassembler[K]) begin(now int64, k setKey[K], count int) *set[K] {
	s := newSet(now, k, count)
	s.sender = r.senders[k.from]
	if s.sender == nil {
		s.sender = &sender[K]{sets: list[K]{which: inSender}}
		r.senders[k.from] = s.sender
	}
	r.sets[k] = s
	r.waiting.push(s)
	s.sender.sets.push(s)
	return s
}

// put adds a chunk that is new to its message.
func (r *Reassembler[K]) put(now int64, s *set[K], number int, payload []byte) []byte {
	if len(s.data)+len(payload) > r.limits.Message {
		r.report(s.key.from, Loss{TooLong, s.have + 1, len(s.data) + len(payload)})
		r.settle(now, s, lost)
		s.parts[number] = r.hash(payload)
		return nil
	}
	s.put(number, payload)
	r.charge(s)
	if s.have < s.count {
		r.enforce(s.sender)
		return nil
	}
	message := s.data
	switch {
	case message == nil:
		message = []byte{} // complete, if empty
	case !s.inOrder:
		r.out = s.assemble(r.out[:0])
		message = r.out
	}
	r.settle(now, s, complete)
	return message
}

// hash stands for a chunk that is not kept. It is never 0, which stands for one
// that did not come.
func (r *Reassembler[K]) hash(payload []byte) uint64 { return maphash.Bytes(r.seed, payload) | 1 }

// Expire gives up what has waited too long. Call it about once a second, so
// that losses are reported also while no chunks come. If the clock went back by
// more than the lifetime, what was there before counts as too old.
func (r *Reassembler[K]) Expire(now int64) {
	lifetime := r.limits.Lifetime.Microseconds()
	old := func(s *set[K]) bool {
		return s != nil && (now-s.since > lifetime || s.since-now > lifetime)
	}
	for s := r.waiting.head; old(s); s = r.waiting.head {
		r.report(s.key.from, Loss{Expired, s.have, len(s.data)})
		r.settle(now, s, lost)
	}
	for old(r.settled.head) {
		r.forget(r.settled.head)
	}
}

// Close gives up all that is incomplete. The Reassembler is empty afterwards.
func (r *Reassembler[K]) Close() {
	for r.waiting.head != nil {
		r.giveUp(r.waiting.head, Stopped)
	}
	for r.settled.head != nil {
		r.forget(r.settled.head)
	}
}

// Waiting returns the number of incomplete messages, and the bytes held.
func (r *Reassembler[K]) Waiting() (sets, bytes int) { return r.waiting.n, r.bytes }
