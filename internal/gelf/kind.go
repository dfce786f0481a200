// Package gelf understands the Graylog Extended Log Format, version 1.1: what a
// datagram is (a chunk, compressed, or plain JSON), how chunks become a message
// again, and where in the JSON text time and host stand. It does no I/O and
// never asks the clock: the time is passed in, in microseconds since 1970.
//
// The text of a message is handed on as it came, after reassembly and
// decompression. Nothing is decoded that is not asked for.
package gelf

const (
	gzipMagic0 = 0x1f
	gzipMagic1 = 0x8b
	zlibMagic  = 'x' // deflate with the usual window of 32 KiB
)

// Kind says what a datagram or the payload of its chunks is.
type Kind uint8

// Kinds of payload.
const (
	None  Kind = iota // not GELF, as far as the first bytes tell
	Chunk             // one of several parts of a message
	Zlib              // compressed, RFC 1950
	Gzip              // compressed, RFC 1952
	JSON              // the text itself
)

// Looks recognises GELF among other messages, as on a port that is meant for
// syslog. It costs one comparison where the first byte tells that it is not. A
// JSON object counts as GELF if it has short_message and one of host and
// version; other JSON is None.
func Looks(b []byte) Kind {
	if len(b) < 3 || !mayBegin[b[0]] {
		return None
	}
	return looks(b)
}

// mayBegin has the bytes GELF may begin with. With it, Looks is inlined.
var mayBegin = [256]bool{chunkMagic0: true, gzipMagic0: true, zlibMagic: true, '{': true}

func looks(b []byte) Kind {
	k := magic(b)
	if k == JSON && !hasKeys(b) {
		return None
	}
	return k
}

// magic goes by the first two or three bytes.
func magic(b []byte) Kind {
	if len(b) < 2 {
		return None
	}
	switch {
	case b[0] == '{':
		return JSON
	case b[0] == chunkMagic0 && b[1] == chunkMagic1:
		return Chunk
	case b[0] == gzipMagic0 && b[1] == gzipMagic1:
		return Gzip
	case b[0] == zlibMagic && isZlib(b):
		return Zlib
	}
	return None
}

// isZlib wants more than the header's checksum, because "x^" may begin a text:
// no preset dictionary, and a first block of a type that exists.
func isZlib(b []byte) bool {
	const presetDictionary, blockType, reserved = 0x20, 0x06, 0x06
	return (uint(b[0])<<8|uint(b[1]))%31 == 0 &&
		b[1]&presetDictionary == 0 &&
		(len(b) < 3 || b[2]&blockType != reserved)
}

// hasKeys tells whether the object has the keys that make it GELF. It looks no
// further than it must. The value of the last may be cut off.
func hasKeys(b []byte) bool {
	short, other := false, false
	s := newScanner(b)
	for more := true; more && !(short && other); {
		var m member
		m, more = s.next()
		switch m.key {
		case keyShortMessage:
			short = true
		case keyHost, keyVersion:
			other = true
		}
	}
	return short && other
}
