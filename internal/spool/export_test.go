package spool

import "encoding/binary"

// Available is how many records Take would give out.
func Available(s *Spool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.queue.files {
		n += f.waits
	}
	return n
}

// SetVersion makes a file one of another version.
func SetVersion(image []byte, version uint16) {
	binary.LittleEndian.PutUint16(image[8:], version)
	binary.LittleEndian.PutUint32(image[12:], headerSum(image))
}
