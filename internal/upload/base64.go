package upload

import (
	"encoding/base64"
	"encoding/binary"
)

// pairs holds the two characters of RFC 4648 section 4 for every 12 bits, the
// first one in the lower byte.
var pairs = func() (t [1 << 12]uint16) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = uint16(alphabet[i>>6]) | uint16(alphabet[i&63])<<8
	}
	return t
}()

// appendBase64 does what base64.StdEncoding.AppendEncode does, six bytes a step
// instead of three, which takes less than half the time: see the benchmark.
func appendBase64(dst, src []byte) []byte {
	for len(src) >= 8 {
		w := binary.BigEndian.Uint64(src)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(pairs[w>>52])|uint64(pairs[w>>40&0xfff])<<16|
			uint64(pairs[w>>28&0xfff])<<32|uint64(pairs[w>>16&0xfff])<<48)
		src = src[6:]
	}
	return base64.StdEncoding.AppendEncode(dst, src)
}
