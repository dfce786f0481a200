package batch

import (
	"iter"
	"math/bits"

	"kinesyslog/internal/syslog"
)

// Reasons is a set of what was not understood of a message. The message is
// delivered as it came all the same.
type Reasons uint16

// The first of them are those of package syslog, with the same values.
const (
	NoHeader      = Reasons(syslog.NoHeader)
	NoPRI         = Reasons(syslog.NoPRI)
	BadPRI        = Reasons(syslog.BadPRI)
	NoTime        = Reasons(syslog.NoTime)
	BadTime       = Reasons(syslog.BadTime)
	Malformed5424 = Reasons(syslog.Malformed5424)
	// SkewedTime: the message has a time that is too far from receipt.
	SkewedTime Reasons = 1 << 8
	// MalformedGELF: the JSON of a GELF message is cut off or none.
	MalformedGELF Reasons = 1 << 9
	// InvalidUTF8: there are bytes that the record writes as \xNN.
	InvalidUTF8 Reasons = 1 << 10
)

// reasonNames are the reasons as metrics and samples name them, by bit.
var reasonNames = [...]string{
	"no_header", "no_pri", "bad_pri", "no_time", "bad_time", "malformed_5424", "", "", "skewed_time", "malformed_gelf", "invalid_utf8",
}

// Names yields the name of each reason in the set.
func (r Reasons) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for ; r != 0; r &= r - 1 {
			if !yield(reasonNames[bits.TrailingZeros16(uint16(r))]) {
				return
			}
		}
	}
}
