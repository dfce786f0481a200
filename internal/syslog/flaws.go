package syslog

// Flaws is a set of what was not understood of a message.
type Flaws uint8

const (
	// NoHeader: the message begins with neither a PRI nor a time, and its text
	// has no time either.
	NoHeader Flaws = 1 << iota
	// NoPRI: there is a header, but no PRI before it.
	NoPRI
	// BadPRI: what stands in the place of the PRI is no number up to 191.
	BadPRI
	// NoTime: there is a PRI, but neither the header nor the text has a time.
	// The nil time of RFC 5424 is no flaw.
	NoTime
	// BadTime: what stands in the place of the time is none.
	BadTime
	// Malformed5424: a version, but not what RFC 5424 wants after it, as far as
	// Scan reads (see Scan.Frame).
	Malformed5424
)

// flaws judges a header, given where the time was found.
func (h *header) flaws(src TimeSource) (f Flaws) {
	none := h.frame == FrameNone
	switch {
	case h.badPRI:
		f |= BadPRI
	case none && src == Received:
		f |= NoHeader
	case !none && h.pri < 0:
		f |= NoPRI
	}
	switch {
	case src != Received || h.nilTime || none:
	case h.badTime:
		f |= BadTime
	default:
		f |= NoTime
	}
	if h.frame == FrameRFC5424Malformed {
		f |= Malformed5424
	}
	return f
}
