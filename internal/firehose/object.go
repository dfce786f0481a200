package firehose

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// While an object is filled it is two hidden files in its stream's directory:
//
//	.NAME.part   the data, exactly as the object will have it
//	.NAME.calls  a checkpoint for each call, appended after the call's data
//
// A call is acknowledged once its checkpoint is written. So whatever of the part
// file lies behind the last checkpoint belongs to a call that was not
// acknowledged, and is cut off when the next start finishes the object.
//
// A checkpoint is 20 bytes, big endian: the part file's length (8), the records
// in it (4), the CRC-32C of it (4), the CRC-32C of these 16 bytes (4).
const (
	partSuffix     = ".part"
	callsSuffix    = ".calls"
	badSuffix      = ".bad"
	checkpointSize = 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errAbandoned says that an object's files are in a state that only the next
// start can put right, from the checkpoints.
var errAbandoned = errors.New("the object is set aside for the next start to finish")

// Object is what was delivered.
type Object struct {
	Stream  string
	Path    string // of the file, beginning with Options.Dir
	Bytes   int64
	Records int
}

type checkpoint struct {
	length  int64
	records uint32
	sum     uint32 // of the part file's first length bytes
}

func (c checkpoint) append(dst []byte) []byte {
	at := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.length))
	dst = binary.BigEndian.AppendUint32(dst, c.records)
	dst = binary.BigEndian.AppendUint32(dst, c.sum)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// parseCheckpoint reads checkpointSize bytes.
func parseCheckpoint(b []byte) (c checkpoint, ok bool) {
	c.length = int64(binary.BigEndian.Uint64(b))
	c.records = binary.BigEndian.Uint32(b[8:])
	c.sum = binary.BigEndian.Uint32(b[12:])
	return c, c.length >= 0 && crc32.Checksum(b[:16], castagnoli) == binary.BigEndian.Uint32(b[16:])
}

// object is one that is being filled. Its stream's lock guards it until it is
// detached.
type object struct {
	stream, dir string
	name        string // STREAM-1-YYYY-MM-DD-HH-MM-SS-UUID, perhaps with .gz
	begun       time.Time
	timer       *time.Timer

	part, calls *os.File
	buf         *bufio.Writer // into part, so that small records share a write
	acked       checkpoint    // the last one written
	count       int64         // of checkpoints written
}

// newObject begins an object whose first records are given, but holds none yet.
func newObject(st *stream, now time.Time, records [][]byte) (*object, error) {
	now = now.UTC()
	name := fmt.Sprintf("%s-1-%s-%s", st.name, now.Format(nameTime), newUUID())
	if startsWithGzip(records) {
		name += gzipSuffix
	}
	o := &object{stream: st.name, dir: st.dir, name: name, begun: now}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | os.O_APPEND
	var err error
	if o.calls, err = os.OpenFile(o.hidden(callsSuffix), flags, 0o640); err != nil {
		return nil, err
	}
	if o.part, err = os.OpenFile(o.hidden(partSuffix), flags, 0o640); err != nil {
		return nil, errors.Join(err, o.calls.Close(), os.Remove(o.calls.Name()))
	}
	o.buf = bufio.NewWriterSize(o.part, 64<<10)
	return o, nil
}

// startsWithGzip looks at the first record that has data.
func startsWithGzip(records [][]byte) bool {
	for _, r := range records {
		if len(r) > 0 {
			return bytes.HasPrefix(r, []byte{0x1f, 0x8b})
		}
	}
	return false
}

func (o *object) hidden(suffix string) string { return filepath.Join(o.dir, "."+o.name+suffix) }

// append adds the records of one call, all or none. On return without an error
// they survive a kill of the process. After errAbandoned the object must not be
// used any more.
func (o *object) append(records [][]byte, size int64) error {
	next := checkpoint{o.acked.length + size, o.acked.records + uint32(len(records)), o.acked.sum}
	var err error
	for _, r := range records {
		next.sum = crc32.Update(next.sum, castagnoli, r)
		if _, err = o.buf.Write(r); err != nil {
			break
		}
	}
	if err == nil {
		err = o.buf.Flush()
	}
	if err == nil {
		_, err = o.calls.Write(next.append(nil))
	}
	if err != nil {
		return o.rollback(err)
	}
	o.acked = next
	o.count++
	return nil
}

// rollback brings both files back to the last checkpoint after a failed write.
func (o *object) rollback(cause error) error {
	o.buf.Reset(o.part)
	if err := errors.Join(o.part.Truncate(o.acked.length), o.calls.Truncate(o.count*checkpointSize)); err != nil {
		return fmt.Errorf("%w: %w", errAbandoned, errors.Join(cause, err, o.part.Close(), o.calls.Close()))
	}
	return cause
}

// publish makes the object appear under its name and be durable.
func (o *object) publish() (Object, error) {
	target := filepath.Join(o.dir, o.begun.Format("2006/01/02/15"), o.name)
	delivered := Object{Stream: o.stream, Path: target, Bytes: o.acked.length, Records: int(o.acked.records)}
	err := errors.Join(o.part.Sync(), o.part.Close(), o.calls.Close())
	if err != nil {
		return delivered, err
	}
	if err := mkdirDurably(o.dir, filepath.Dir(target)); err != nil {
		return delivered, err
	}
	if err := os.Rename(o.hidden(partSuffix), target); err != nil {
		return delivered, err
	}
	if err := syncDir(filepath.Dir(target)); err != nil {
		return delivered, err
	}
	// A checkpoint file without its part file is removed by the next start.
	_ = os.Remove(o.hidden(callsSuffix))
	return delivered, nil
}

// discard removes an object that holds nothing.
func (o *object) discard() error {
	return errors.Join(o.part.Close(), o.calls.Close(), os.Remove(o.part.Name()), os.Remove(o.calls.Name()))
}

// newUUID returns a random UUID (version 4, RFC 9562).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
