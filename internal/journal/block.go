package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"kinesyslog/internal/event"
)

// The format's constants; see docs/spool-format.md.
const (
	fileMagic      = "KSLGJNL1"
	fileHeaderSize = 32

	blockMagic      = "\xa5KB1"
	blockHeaderSize = 40

	// maxBlockTexts is when a block is ended and the next one begun. Damage
	// costs a block, so it is small; each block repeats its source, so it is
	// not tiny.
	maxBlockTexts = 32 << 10
	// maxBlockPayload is more than any block holds: one more message, of the
	// largest size that can be configured, may follow at maxBlockTexts - 1.
	maxBlockPayload = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("block is damaged")

// A block header, little endian:
//
//	 0 magic      4
//	 4 crc        4  CRC-32C of the payload, then of header bytes 8 to 40
//	 8 payload    4  bytes that follow the header
//	12 count      4  messages
//	16 first      8  sequence number of the first message
//	24 received   8  microseconds since 1970
//	32 source     2  bytes of the source's key, at the payload's start
//	34 reserved   6  zero
//
// The payload is checksummed first, so that this can be done before the
// sequence number is known.

// beginBlock appends a header to be finished by sealBlock, and the source's key.
func beginBlock(dst []byte, source string, received int64) []byte {
	var h [blockHeaderSize]byte
	copy(h[:], blockMagic)
	binary.LittleEndian.PutUint64(h[24:], uint64(received))
	binary.LittleEndian.PutUint16(h[32:], uint16(len(source)))
	return append(append(dst, h[:]...), source...)
}

// sealBlock completes a block, header and payload, but for what numberBlock adds.
func sealBlock(block []byte, count int) {
	payload := block[blockHeaderSize:]
	binary.LittleEndian.PutUint32(block[4:], crc32.Update(0, castagnoli, payload))
	binary.LittleEndian.PutUint32(block[8:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(block[12:], uint32(count))
}

// numberBlock gives a sealed block its first sequence number and final checksum.
// It must be called once.
func numberBlock(block []byte, first uint64) {
	binary.LittleEndian.PutUint64(block[16:], first)
	crc := binary.LittleEndian.Uint32(block[4:])
	crc = crc32.Update(crc, castagnoli, block[8:blockHeaderSize])
	binary.LittleEndian.PutUint32(block[4:], crc)
}

// blockAt reads the block at the start of data and tells its length.
func blockAt(data []byte) (b event.Block, size int, err error) {
	if len(data) < blockHeaderSize || string(data[:4]) != blockMagic {
		return b, 0, errDamaged
	}
	payload := binary.LittleEndian.Uint32(data[8:])
	source := int(binary.LittleEndian.Uint16(data[32:]))
	if payload > maxBlockPayload || int(payload) > len(data)-blockHeaderSize || source > int(payload) {
		return b, 0, errDamaged
	}
	size = blockHeaderSize + int(payload)
	crc := crc32.Update(0, castagnoli, data[blockHeaderSize:size])
	crc = crc32.Update(crc, castagnoli, data[8:blockHeaderSize])
	if crc != binary.LittleEndian.Uint32(data[4:]) {
		return b, 0, errDamaged
	}
	return decodeBlock(data[:size], source), size, nil
}

// decodeBlock reads a block that is known to be whole.
func decodeBlock(block []byte, source int) event.Block {
	return event.Block{
		Source:   block[blockHeaderSize : blockHeaderSize+source],
		Received: int64(binary.LittleEndian.Uint64(block[24:])),
		First:    binary.LittleEndian.Uint64(block[16:]),
		Count:    int(binary.LittleEndian.Uint32(block[12:])),
		Texts:    block[blockHeaderSize+source:],
	}
}

// nextBlock returns the offset of the next whole block at or after from, or -1.
func nextBlock(data []byte, from int) int {
	for from < len(data) {
		i := bytes.Index(data[from:], []byte(blockMagic))
		if i < 0 {
			return -1
		}
		from += i
		if _, _, err := blockAt(data[from:]); err == nil {
			return from
		}
		from++
	}
	return -1
}

// fileHeader is the start of a journal file: magic, generation, relay, shard,
// and a CRC-32C of what comes before it.
type fileHeader struct {
	generation, relay uint64
	shard             int
}

func (h fileHeader) append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, fileMagic...)
	dst = binary.LittleEndian.AppendUint64(dst, h.generation)
	dst = binary.LittleEndian.AppendUint64(dst, h.relay)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.shard))
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func parseFileHeader(data []byte) (h fileHeader, err error) {
	if len(data) < fileHeaderSize || string(data[:8]) != fileMagic ||
		crc32.Checksum(data[:28], castagnoli) != binary.LittleEndian.Uint32(data[28:]) {
		return h, errDamaged
	}
	h.generation = binary.LittleEndian.Uint64(data[8:])
	h.relay = binary.LittleEndian.Uint64(data[16:])
	h.shard = int(binary.LittleEndian.Uint32(data[24:]))
	return h, nil
}
