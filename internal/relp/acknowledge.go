package relp

// maxReason is what librelp reads of an answer's text behind its code.
const maxReason = 76

// Ack says that all messages up to and including upTo are safe: their answers
// become part of the output. The number that was acknowledged last changes
// nothing, every other that does not wait is ErrNotOutstanding.
func (s *Session) Ack(upTo Txnr) error {
	if !s.open || upTo == 0 || upTo > MaxTxnr {
		return ErrNotOutstanding
	}
	n := upTo.since(s.safe)
	if n > s.waiting {
		return ErrNotOutstanding
	}
	s.safe = upTo
	s.acked += n
	s.waiting -= n
	return nil
}

// Refuse answers the message that Next gave out last with an error, and ends the
// session: no message after it is taken, those before it still wait for Ack, and
// its answer follows theirs. librelp's client then forgets the message, and sends
// those after it again in a new session. The session cannot go on, because that
// client reads no answer that came together with an error. reason is for a
// person, without LF; at most 76 bytes of it are sent. It must be called before
// the next call of Next or Ack.
func (s *Session) Refuse(reason string) {
	if s.closed || s.waiting == 0 {
		return
	}
	s.waiting--
	s.closed = true
	s.farewell = appendServerClose(appendText(s.farewell, s.given, "rsp", "500 "+reason[:min(len(reason), maxReason)]))
}

// Waiting returns how many messages were given out and not yet acknowledged.
func (s *Session) Waiting() int { return s.waiting }

// AppendOutput appends all that may be sent to the client now, in the order of
// its commands, and forgets it: dst must reach the connection, or the session
// is over.
func (s *Session) AppendOutput(dst []byte) []byte {
	dst = append(dst, s.greeting...)
	s.greeting = nil
	for ; s.acked > 0; s.acked-- {
		dst = appendText(dst, s.unsent, "rsp", "200 OK")
		s.unsent = s.unsent.Next()
	}
	if s.closed && s.waiting == 0 && !s.done {
		s.done = true
		dst = append(dst, s.farewell...)
	}
	return dst
}

// Shutdown ends the session from the server's side: Next reads no more, and the
// output ends with the hint "serverclose" as soon as no message waits. Whoever
// cannot wait for that closes the connection; the client sends again what was
// not acknowledged.
func (s *Session) Shutdown() {
	if s.closed {
		return
	}
	s.closed = true
	s.farewell = appendServerClose(s.farewell)
}

// Done tells whether all has been said: the session is closed, no message
// waits, and the output was taken. The connection may be closed.
func (s *Session) Done() bool { return s.done }
