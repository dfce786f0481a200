package syslog

import "time"

// TimeSource tells where a message's time was found.
type TimeSource uint8

const (
	// Received: nowhere, or it was unusable. The time of receipt stands.
	Received TimeSource = iota
	// Header: in the syslog header.
	Header
	// Body: in the text, because the header has none.
	Body
)

// String returns "received", "header" or "body".
func (s TimeSource) String() string {
	return [...]string{"received", "header", "body"}[s]
}

// Frame is the form of a message's header.
type Frame uint8

const (
	// FrameNone: neither PRI nor header.
	FrameNone Frame = iota
	// FrameRFC3164: a PRI, a time in the BSD place, or both.
	FrameRFC3164
	// FrameRFC5424: a version and a time of RFC 5424.
	FrameRFC5424
	// FrameRFC5424Malformed: a version, but not what RFC 5424 wants after it.
	FrameRFC5424Malformed
)

// String returns "none", "rfc3164", "rfc5424" or "rfc5424-malformed".
func (f Frame) String() string {
	return [...]string{"none", "rfc3164", "rfc5424", "rfc5424-malformed"}[f]
}

// Scan is what the relay needs to know of a message.
type Scan struct {
	HasPRI bool // the message begins with a valid PRI, 0 to 191
	PRI    int
	// Time is in microseconds since 1970: the message's own time, or the time
	// of receipt if TimeSource is Received.
	Time       int64
	TimeSource TimeSource
	// Skewed says that the message has a time which is further from receipt
	// than MaxPast or MaxFuture allows. TimeSource is then Received.
	Skewed bool
	// Frame is judged by what stands before and in the time. Parse reads on and
	// may call a frame malformed that Scan takes for RFC 5424.
	Frame Frame
	// Flaws are what was not understood, apart from Skewed.
	Flaws Flaws
}

// Scanner reads messages. The zero value reads times in local time and takes
// any time as true. The exported fields must not be changed once it is in use.
//
// A Scanner remembers the last date and the last zone offset, so it is not for
// concurrent use: one for each goroutine.
type Scanner struct {
	// Location is where senders' clocks are that do not say. nil is time.Local.
	Location *time.Location
	// MaxPast and MaxFuture say how far from receipt a time may be and still
	// be believed. 0 is no limit.
	MaxPast, MaxFuture time.Duration

	clock clock
}

// Scan finds PRI, frame and time of a message that was received at the given
// time (microseconds since 1970). It never fails and allocates nothing.
func (s *Scanner) Scan(msg []byte, received int64) (res Scan) {
	msg = TrimDatagram(msg)
	var h header
	h.read(msg)
	res.Time, res.Frame = received, h.frame
	if h.pri >= 0 {
		res.HasPRI, res.PRI = true, h.pri
	}
	src := h.timeSource(msg)
	if src == Received || h.pri < 0 || h.frame == FrameRFC5424Malformed {
		res.Flaws = h.flaws(src)
	}
	if src == Received {
		return res
	}
	at := s.clock.instant(&h.stamp, s.location(), received)
	if s.Skewed(at, received) {
		res.Skewed = true
		return res
	}
	res.Time, res.TimeSource = at, src
	return res
}

func (s *Scanner) location() *time.Location {
	if s.Location == nil {
		return time.Local
	}
	return s.Location
}

// Skewed tells whether a time is too far from receipt to be believed; both are in
// microseconds since 1970.
func (s *Scanner) Skewed(at, received int64) bool {
	if s.MaxPast > 0 && received-at > s.MaxPast.Microseconds() {
		return true
	}
	return s.MaxFuture > 0 && at-received > s.MaxFuture.Microseconds()
}
