package cwl

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// escapes holds what a byte becomes within a JSON string where it may not
// stand as it is. Bytes from 0x80 on are here for the case that they are not
// part of valid UTF-8.
var escapes = func() (t [256]string) {
	const hex = "0123456789abcdef"
	for c := range 0x20 {
		t[c] = `\u00` + string(hex[c>>4]) + string(hex[c&15])
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = `\b`, `\f`, `\n`, `\r`, `\t`
	t['"'], t['\\'] = `\"`, `\\`
	for c := 0x80; c < 0x100; c++ {
		t[c] = `\\x` + string(hex[c>>4]) + string(hex[c&15])
	}
	return t
}()

// AppendText appends text as the inside of a JSON string, without the quotes.
// Quotes, backslashes and control characters below 0x20 are escaped (RFC 8259
// section 7). A byte that is not part of valid UTF-8 becomes the four
// characters \xNN, in lower-case hexadecimal, as Python's error handler
// "backslashreplace" has it; surrogates and overlong forms are not valid.
// Everything else stays as it is. The result is never shorter than text and
// at most six times as long.
func AppendText(dst, text []byte) []byte {
	start, i := 0, 0 // text[start:i] needs no change and is not yet in dst
	for {
		i += plain(text[i:])
		for i < len(text) && text[i] >= utf8.RuneSelf {
			if _, n := utf8.DecodeRune(text[i:]); n > 1 {
				i += n
				continue
			}
			dst = append(dst, text[start:i]...)
			dst = append(dst, escapes[text[i]]...)
			i++
			start = i
		}
		if i == len(text) {
			return append(dst, text[start:]...)
		}
		if escape := escapes[text[i]]; escape != "" {
			dst = append(dst, text[start:i]...)
			dst = append(dst, escape...)
			i++
			start = i
		}
	}
}

// The bytes 0x01, 0x02 and so on in all eight places of a word.
const (
	every   = 0x0101010101010101
	highBit = 0x80 * every
)

// care marks the bytes of a word that AppendText must look at: those below
// 0x20, quotes, backslashes and those from 0x80 on. The lowest mark is right;
// above it there may be marks too many, because subtraction borrows.
func care(w uint64) uint64 {
	// XOR with 2 takes the quote (0x22) to 0x20 and leaves everything below
	// 0x20 below it and everything else above it.
	control := (w ^ 0x02*every) - 0x21*every
	backslash := (w ^ '\\'*every) - every
	return (w | control | backslash) & highBit
}

// plain returns how many bytes at the start of b are ASCII and stand in a JSON
// string as they are.
func plain(b []byte) int {
	i := 0
	for ; len(b)-i >= 32; i += 32 {
		s := b[i : i+32 : i+32]
		w0 := care(binary.LittleEndian.Uint64(s))
		w1 := care(binary.LittleEndian.Uint64(s[8:]))
		w2 := care(binary.LittleEndian.Uint64(s[16:]))
		w3 := care(binary.LittleEndian.Uint64(s[24:]))
		if w0|w1|w2|w3 != 0 {
			break
		}
	}
	for ; len(b)-i >= 8; i += 8 {
		if w := care(binary.LittleEndian.Uint64(b[i:])); w != 0 {
			return i + bits.TrailingZeros64(w)/8
		}
	}
	for i < len(b) && escapes[b[i]] == "" {
		i++
	}
	return i
}
