package syslog

// TrimDatagram returns the message of a datagram (RFC 5426: one datagram is
// one message): CR, LF and NUL at its end are off, as devices add them, and
// nothing else. The result aliases b and may be empty.
func TrimDatagram(b []byte) []byte {
	end := len(b)
	for end > 0 && (b[end-1] == '\n' || b[end-1] == '\r' || b[end-1] == 0) {
		end--
	}
	return b[:end]
}
