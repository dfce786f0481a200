// Package syslog takes syslog as devices really send it: it parts messages on
// a stream (RFC 6587), reads the time a message bears, and, for people who ask,
// says what every byte of it is.
//
// Framer cuts a stream into messages and TrimDatagram frees a datagram of its
// line ending. Behind them there are two readers of a message. Scanner.Scan is on the path of every
// message: it finds the PRI and the time in one pass, allocates nothing and
// reads no further than it must. Scanner.Parse is for explain and reads
// everything: host, tag, structured data, CEF, LEEF, key=value text and JSON.
// Both find the time with the same code, so they cannot disagree about it.
//
// Neither ever fails. What cannot be understood is a message without a time:
// then the time of receipt stands, and the text is delivered as it came.
//
// # What stands where
//
// A message is read in this order; each step may find nothing:
//
//	junk  PRI  [version]  [sequence: host: …] time [zone] [:]  [host] [tag[pid]:] text
//
// The header is RFC 5424 if a version stands before an RFC 3339 time (or "-"),
// and RFC 3164 otherwise. Only if the header has no time, the text is asked
// for one (docs/formats.md lists the keys).
//
// # Time
//
// Times are microseconds since 1970, UTC. A time without a year is in the year
// that brings it nearest to the time of receipt. A time without a zone is in
// Scanner.Location. Where clocks are put back, a wall-clock time that happens
// twice is the one nearer to receipt; where they are put forward, one that does
// not happen is moved forward by the gap (02:30 becomes 03:30). A leap second is
// the second that follows, and 24:00:00 is the next midnight.
package syslog
