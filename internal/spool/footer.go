package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// footer is the commit mark at the end of a file: the file is whole.
type footer struct {
	records uint32
	events  uint64
	offset  int64 // where the footer begins
}

func appendFooter(dst []byte, f footer) []byte {
	at := len(dst)
	dst = append(dst, footerMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, f.records)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, f.events)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.offset))
	binary.LittleEndian.PutUint32(dst[at+12:], footerSum(dst[at:]))
	return dst
}

// footerSum is the checksum of all but the checksum.
func footerSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:12], castagnoli), castagnoli, b[16:footerSize])
}

// parseFooter reads the last bytes of a file of so many bytes.
func parseFooter(b []byte, size int64) (f footer, err error) {
	if len(b) != footerSize || string(b[:8]) != footerMagic || binary.LittleEndian.Uint32(b[12:]) != footerSum(b) {
		return f, errFooter
	}
	f = footer{
		records: binary.LittleEndian.Uint32(b[8:]),
		events:  binary.LittleEndian.Uint64(b[16:]),
		offset:  int64(binary.LittleEndian.Uint64(b[24:])),
	}
	if f.offset != size-footerSize {
		return f, errFooter
	}
	return f, nil
}

// appendReason writes why a record became a dead letter.
func appendReason(dst []byte, salt uint32, reason string) []byte {
	reason = reason[:min(len(reason), MaxReason)]
	dst = append(dst, reasonMarker...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(reason)))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Update(salt, castagnoli, []byte(reason)))
	return append(dst, reason...)
}

// parseReason reads a reason at the start of b. size is 0 if there is none.
func parseReason(b []byte, salt uint32) (reason string, size int) {
	if len(b) < reasonSize || string(b[:4]) != reasonMarker {
		return "", 0
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > MaxReason || int(n) > len(b)-reasonSize {
		return "", 0
	}
	text := b[reasonSize : reasonSize+int(n)]
	if crc32.Update(salt, castagnoli, text) != binary.LittleEndian.Uint32(b[8:]) {
		return "", 0
	}
	return string(text), reasonSize + int(n)
}
