package gelf

import "time"

// Limits keep a Reassembler within bounds. A zero means the value given here.
// Bytes are those of the chunks and of what is needed to keep account of them.
type Limits struct {
	Message     int           // bytes of one message: 1 MiB
	Bytes       int           // of all incomplete messages: 16 MiB
	Sets        int           // incomplete messages: 4096
	SenderBytes int           // of one sender's incomplete messages: 4 MiB
	SenderSets  int           // one sender's incomplete messages: 256
	Lifetime    time.Duration // from a message's first chunk to its last: 5 s, as GELF says
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value *int
		usual int
	}{
		{&l.Message, 1 << 20},
		{&l.Bytes, 16 << 20},
		{&l.Sets, 4096},
		{&l.SenderBytes, 4 << 20},
		{&l.SenderSets, 256},
	} {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
	if l.Lifetime <= 0 {
		l.Lifetime = 5 * time.Second
	}
	return l
}

// enforce gives up the oldest messages until all limits hold: of the sender who
// was just heard first, so that one sender alone cannot push out the others.
func (r *Reassembler[K]) enforce(from *sender[K]) {
	for from.sets.n > r.limits.SenderSets || from.bytes > r.limits.SenderBytes {
		r.giveUp(from.sets.head, SenderIsFull)
	}
	for r.waiting.n > r.limits.Sets {
		r.giveUp(r.waiting.head, Full)
	}
	for r.bytes > r.limits.Bytes {
		if r.settled.head != nil {
			r.forget(r.settled.head)
		} else {
			r.giveUp(r.waiting.head, Full)
		}
	}
}

// giveUp reports an incomplete message as lost.
func (r *Reassembler[K]) giveUp(s *set[K], reason Reason) {
	r.report(s.key.from, Loss{reason, s.have, len(s.data)})
	r.leave(s)
	delete(r.sets, s.key)
	r.bytes -= s.charged
}

// settle keeps the id of a message in mind for a lifetime, and hashes of its
// chunks, so that chunks that come again or too late are known.
func (r *Reassembler[K]) settle(now int64, s *set[K], state state) {
	r.leave(s)
	for number := range s.count {
		if s.has(number) {
			s.parts[number] = r.hash(s.part(number))
		}
	}
	s.state, s.since, s.data = state, now, nil
	r.settled.push(s)
	r.charge(s)
	for r.settled.n > r.limits.Sets || r.bytes > r.limits.Bytes && r.settled.n > 0 {
		r.forget(r.settled.head)
	}
}

// leave takes an incomplete message out of the lists.
func (r *Reassembler[K]) leave(s *set[K]) {
	r.waiting.remove(s)
	s.sender.sets.remove(s)
	s.sender.bytes -= s.charged
	if s.sender.sets.n == 0 {
		delete(r.senders, s.key.from)
	}
	s.sender = nil
}

// forget drops what was kept in mind.
func (r *Reassembler[K]) forget(s *set[K]) {
	r.settled.remove(s)
	delete(r.sets, s.key)
	r.bytes -= s.charged
}

// charge brings the accounts up to date with a set's size.
func (r *Reassembler[K]) charge(s *set[K]) {
	more := s.cost() - s.charged
	s.charged += more
	r.bytes += more
	if s.sender != nil {
		s.sender.bytes += more
	}
}
