// Package relp speaks the Reliable Event Logging Protocol as librelp does:
// frames, the server's side of a session, and the frames a client sends. It
// knows no sockets: bytes come in by Session.Next and go out by
// Session.AppendOutput.
//
// A frame is
//
//	TXNR SP COMMAND SP DATALEN [SP DATA] LF
//
// with TXNR and DATALEN of one to nine digits, COMMAND of one to 32 letters and
// DATA of exactly DATALEN bytes.
package relp

// Frame is one RELP frame. Command and Data alias the buffer they were read
// from, except where Cut is set: then Data is the Framer's own. Both are valid
// until the next call.
type Frame struct {
	Txnr    Txnr
	Command []byte
	Data    []byte
	Length  int  // bytes of data the frame had
	Cut     bool // Data holds the first of them only
}

// Framer takes frames out of a stream of bytes. It copies and allocates
// nothing, except for frames whose data is longer than allowed.
// Not for concurrent use.
type Framer struct {
	maxData int
	long    *longFrame // the frame being skipped, nil outside of one
}

// longFrame is a frame with more data than allowed, as far as it has come.
type longFrame struct {
	Frame
	left int // bytes of data still to come
}

// NewFramer returns a Framer that hands on at most maxData bytes of a frame's
// data; the rest is skipped.
func NewFramer(maxData int) *Framer { return &Framer{maxData: maxData} }

// Next returns the next frame in buf, once its final LF has come, and how many
// bytes of buf were used up. With ok false more data is needed; used may be
// more than 0 all the same. The caller keeps the bytes that were not used and
// calls again with more appended; at most maxData+64 of them are ever needed to
// make progress. An error is a *ProtocolError and final.
func (f *Framer) Next(buf []byte) (frame Frame, used int, ok bool, err error) {
	if f.long != nil {
		return f.nextLong(buf)
	}
	h, n, err := parseHeader(buf)
	if n == 0 || err != nil {
		return Frame{}, 0, false, err
	}
	if h.length > f.maxData {
		f.long = &longFrame{
			Frame: Frame{Txnr: h.txnr, Command: append([]byte(nil), h.command...), Length: h.length, Cut: true},
			left:  h.length,
		}
		frame, used, ok, err = f.nextLong(buf[n:])
		return frame, used + n, ok, err
	}
	end := n + h.length
	if len(buf) <= end {
		return Frame{}, 0, false, nil
	}
	if buf[end] != '\n' {
		return Frame{}, 0, false, missingLF(h.txnr, buf[end])
	}
	return Frame{Txnr: h.txnr, Command: h.command, Data: buf[n:end:end], Length: h.length}, end + 1, true, nil
}

// nextLong keeps the head of an overlong frame and skips the rest. The frame is
// given out when it is whole, as every other: a client must not see an answer
// to what it is still sending.
func (f *Framer) nextLong(buf []byte) (frame Frame, used int, ok bool, err error) {
	l := f.long
	n := min(l.left, len(buf))
	l.Data = append(l.Data, buf[:min(n, f.maxData-len(l.Data))]...)
	l.left -= n
	if len(buf) == n {
		return Frame{}, n, false, nil
	}
	if buf[n] != '\n' {
		return Frame{}, n, false, missingLF(l.Txnr, buf[n])
	}
	f.long = nil
	return l.Frame, n + 1, true, nil
}

func missingLF(t Txnr, c byte) error {
	return protocolErrorf(BadFrame, "frame %d: byte 0x%02x where the LF after the data should be", t, c)
}
