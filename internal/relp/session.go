package relp

import "strings"

// DefaultWindow is the number of messages that may wait for their
// acknowledgement. librelp's clients keep to 128 unless told otherwise.
const DefaultWindow = 16384

// Status says what Session.Next came to.
type Status uint8

// Results of Session.Next.
const (
	NeedMore   Status = iota // nothing more can be made of buf, read on
	Delivered                // a message
	WindowFull               // too many messages wait: Ack some, then call again
	Closed                   // the client said close: Ack the rest, send the output, hang up
)

// Message is one syslog message. Text is valid until the next call.
type Message struct {
	Txnr   Txnr
	Text   []byte
	Length int  // bytes the message had
	Cut    bool // Text holds the first of them only
}

// Config of a Session.
type Config struct {
	MaxData  int    // bytes handed on of a frame's data, the rest is cut off
	Window   int    // messages that may wait for Ack; 0 means DefaultWindow
	Software string // "name,version,address" as told to the client
}

// Session is the server's side of one connection. It holds counters only, no
// messages. Its methods must not be called at the same time; all are short.
//
// The client is told "200 OK" for a message when Ack has covered its number,
// and not before. librelp's client throws away a message that was answered with
// an error, so it hears one only of a message that nobody wants (Refuse). When a
// message cannot be kept the connection is to be closed without an answer, and
// the client sends it again.
type Session struct {
	cfg    Config
	framer *Framer
	next   Txnr // number the next regular frame must have
	given  Txnr // number of the message that was given out last
	open   bool
	closed bool  // nothing more is read: close, error or shutdown
	err    error // why, if it was an error

	safe    Txnr // number that was acknowledged last
	unsent  Txnr // number of the next answer to a message
	acked   int  // messages to be answered from there on
	waiting int  // messages after those, not yet covered by Ack

	greeting []byte // answer to open, until it is sent
	farewell []byte // what is sent after the last answer
	done     bool
}

// NewSession returns a session that waits for the client's open.
func NewSession(cfg Config) *Session {
	if cfg.Window <= 0 {
		cfg.Window = DefaultWindow
	}
	cfg.Software = strings.ReplaceAll(cfg.Software, "\n", " ")
	return &Session{cfg: cfg, framer: NewFramer(cfg.MaxData), next: 1}
}

// Next goes through buf up to the next message and returns how many bytes were
// used up. The caller keeps the others and calls again with more appended, at
// most MaxData+64 bytes are needed to make progress. A message is given out
// when its frame is whole.
//
// An error is a *ProtocolError and final. Messages that came before it may
// still be acknowledged; then AppendOutput gives the parting words, and the
// connection is to be closed.
func (s *Session) Next(buf []byte) (m Message, used int, st Status, err error) {
	for {
		if s.closed {
			return Message{}, len(buf), Closed, s.err
		}
		if s.waiting+s.acked >= s.cfg.Window {
			return Message{}, used, WindowFull, nil
		}
		f, n, ok, err := s.framer.Next(buf[used:])
		used += n
		if err != nil {
			return Message{}, used, Closed, s.fail(0, err)
		}
		if !ok {
			return Message{}, used, NeedMore, nil
		}
		if f.Txnr != 0 && f.Txnr != s.next {
			err := protocolErrorf(BadTxnr, "transaction %d where %d was to come", f.Txnr, s.next)
			return Message{}, used, Closed, s.fail(0, err)
		}
		if s.open && f.Txnr != 0 && string(f.Command) == "syslog" {
			s.next, s.given = s.next.Next(), f.Txnr
			s.waiting++
			return Message{Txnr: f.Txnr, Text: f.Data, Length: f.Length, Cut: f.Cut}, used, Delivered, nil
		}
		if err := s.command(f); err != nil {
			return Message{}, used, Closed, err
		}
	}
}

// Opened tells whether the client has said open and was understood.
func (s *Session) Opened() bool { return s.open }

// command obeys everything that is not a message.
func (s *Session) command(f Frame) error {
	name := string(f.Command)
	if f.Txnr == 0 {
		switch name {
		case "open", "close", "syslog", "rsp":
			return s.fail(0, protocolErrorf(BadCommand, "command %s with transaction number 0, which is for hints", name))
		}
		return nil // a hint asks for nothing and is not answered
	}
	s.next = s.next.Next()
	switch {
	case name == "open" && !s.open:
		o, err := parseOffers(f.Data)
		if err == nil && f.Cut {
			err = protocolErrorf(BadOffer, "offers of %d bytes are too long", f.Length)
		}
		if err != nil {
			return s.fail(f.Txnr, err)
		}
		s.open = true
		s.safe, s.unsent = f.Txnr, s.next
		s.greeting = appendText(nil, f.Txnr, "rsp", "200 OK\n"+offerText(o.version, s.cfg.Software))
	case name == "open":
		return s.fail(f.Txnr, protocolErrorf(BadCommand, "open in a session that is open already"))
	case name == "close":
		s.closed = true
		s.farewell = appendServerClose(appendText(s.farewell, f.Txnr, "rsp", "200 OK"))
	case name == "syslog":
		return s.fail(f.Txnr, protocolErrorf(BadCommand, "syslog before open"))
	case name == "rsp":
		return s.fail(0, protocolErrorf(BadCommand, "response %d to a question that was not asked", f.Txnr))
	default:
		return s.fail(f.Txnr, protocolErrorf(BadCommand, "command %s is not supported", name))
	}
	return nil
}

// fail ends the session. With a txnr the client is told why.
func (s *Session) fail(txnr Txnr, err error) error {
	s.closed, s.err = true, err
	if txnr != 0 {
		text := strings.TrimPrefix(err.Error(), "relp: ")
		s.farewell = appendText(s.farewell, txnr, "rsp", "500 "+text)
	}
	s.farewell = appendServerClose(s.farewell)
	return err
}

func appendServerClose(dst []byte) []byte { return appendText(dst, 0, "serverclose", "") }
