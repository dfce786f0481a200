package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
)

// deadName is the name of a record's dead letter, without suffix.
func deadName(name string, index int) string { return fmt.Sprintf("%s-%06d", name, index) }

func parseDeadName(s string) (name string, index int, ok bool) {
	if len(s) < nameSize+2 || s[nameSize] != '-' || !validName(s[:nameSize]) {
		return "", 0, false
	}
	index, err := strconv.Atoi(s[nameSize+1:])
	if err != nil || index < 0 || deadName(s[:nameSize], index) != s {
		return "", 0, false
	}
	return s[:nameSize], index, true
}

// DeadLetter gives a record up that Firehose will never take: it gets a file of
// its own under dead/, together with the reason, durable on return. After an
// error nothing has changed: the record is still taken.
func (s *Spool) DeadLetter(rec event.Stored, reason string) error {
	picks, err := s.claim([]event.Stored{rec})
	if err != nil {
		return fmt.Errorf("make a dead letter: %w", err)
	}
	f, i := picks[0].file, picks[0].i
	size, err := s.writeDead(rec, reason)
	if err != nil {
		s.mu.Lock()
		f.records[i].progress = taken
		s.mu.Unlock()
		return fmt.Errorf("make a dead letter of record %d of spool file %s: %w", rec.Index, f.path, err)
	}
	// Where the mark fails, the next Open sees by the dead letter that the
	// record is not to be offered.
	if err := s.mark(f, []int{i}, Dead); err != nil {
		s.log.Warn("a record that became a dead letter could not be marked", slog.Any("error", err))
	}
	s.ledger.Move(s.listener(f, i), ledger.Spool, ledger.DeadLetters, uint64(f.records[i].events))
	s.metrics.deadLetters.Inc()
	s.mu.Lock()
	s.stats.DeadLetters++
	s.stats.DeadBytes += size
	s.mu.Unlock()
	_ = s.settle(f, []int{i}) // logged there
	return nil
}

// writeDead writes a dead letter durably, or leaves nothing of it.
func (s *Spool) writeDead(rec event.Stored, reason string) (size int64, err error) {
	if err := s.openDead(); err != nil {
		return 0, err
	}
	dir := filepath.Join(s.dir, deadDir)
	path := filepath.Join(dir, deadName(rec.File, rec.Index)+dead)
	letter := encodeDead(rec, reason, time.Now())
	size = int64(len(letter))
	f, err := s.createNew(path + unfinished)
	if err != nil {
		return 0, err
	}
	s.budget.Use(size)
	if _, err = f.Write(letter); err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		if err = s.fs.Rename(path+unfinished, path); err == nil {
			if err = s.fs.SyncDir(dir); err == nil {
				return size, nil
			}
			s.discard(path, size)
			return 0, err
		}
	}
	s.discard(path+unfinished, size)
	return 0, err
}

// openDead makes the directory of dead letters durable, once.
func (s *Spool) openDead() error {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.deadOpen {
		return nil
	}
	if err := s.fs.Mkdir(filepath.Join(s.dir, deadDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil {
		return err
	}
	s.deadOpen = true
	return nil
}

// encodeDead is a spool file with one record and a reason.
func encodeDead(rec event.Stored, reason string, created time.Time) []byte {
	sum := salt(rec.File)
	b := appendHeader(nil, rec.File, created)
	b = appendRecordHeader(b, sum, recordHeader{
		state: Dead, listener: []byte(rec.Listener), index: uint32(rec.Index), events: uint32(rec.Events), raw: rec.RawBytes,
		data: uint32(len(rec.Data)), dataSum: crc32.Checksum(rec.Data, castagnoli),
	})
	b = append(b, rec.Data...)
	b = appendReason(b, sum, reason)
	return appendFooter(b, footer{records: 1, events: uint64(rec.Events), offset: int64(len(b))})
}
