package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kinesyslog/internal/vfs"
)

// relayID returns the 16 digits that tell this relay's event ids from another's.
// They are made once and kept in the file relay.id.
func relayID(fsys vfs.FS, dir string) (uint64, error) {
	path := filepath.Join(dir, "relay.id")
	f, err := fsys.OpenFile(path, os.O_RDONLY, 0)
	if err == nil {
		defer f.Close()
		var b [64]byte
		n, _ := f.ReadAt(b[:], 0)
		if id, err := strconv.ParseUint(strings.TrimSpace(string(b[:n])), 10, 64); err == nil && id < 1e16 {
			return id, nil
		}
		// Damaged: a new id only means that ids do not continue the old ones.
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the relay's id: %w", err)
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	id := binary.LittleEndian.Uint64(random[:]) % 1e16
	w, err := fsys.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, fmt.Errorf("write the relay's id: %w", err)
	}
	_, err = w.WriteAt(fmt.Appendf(nil, "%016d\n", id), 0)
	if err = errors.Join(err, w.Sync(), w.Close(), fsys.SyncDir(dir)); err != nil {
		return 0, fmt.Errorf("write the relay's id: %w", err)
	}
	return id, nil
}
