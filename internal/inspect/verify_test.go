package inspect

import (
	"fmt"
	"testing"
	"testing/synctest"

	"kinesyslog/internal/event"
	"kinesyslog/internal/spool"
)

// damages verifies the whole directory.
func (s *site) damages() (out []string) {
	s.t.Helper()
	d := s.inspect()
	files, err := d.Holding()
	must(s.t, err)
	for r := range d.Verify(files) {
		for _, damage := range r.Damage {
			out = append(out, fmt.Sprintf("%s: %s", r.File.Name, damage))
		}
	}
	return out
}

func TestVerifyFindsAFlippedBitInEveryByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, disk := newSite(t)
		stem := s.publish("a", "b", "c")
		s.settle(nil, []string{"b"})
		journalFile := s.receive("d", "e")
		if got := s.damages(); len(got) != 0 {
			t.Fatalf("what is whole: %q", got)
		}
		// The state is the one byte that nothing covers: it changes in place.
		r, err := spool.OpenFile(disk, s.path(stem+".spool"))
		must(t, err)
		states := map[int64]bool{}
		for _, record := range r.Records {
			states[record.Offset+4] = true
		}
		must(t, r.Close())
		for _, name := range []string{stem + ".spool", "dead/" + stem + "-000001.dead", journalFile} {
			info, err := disk.Stat(s.path(name))
			must(t, err)
			for at := range info.Size() {
				if name == stem+".spool" && states[at] || name[:4] == "dead" && at == 64+4 {
					continue
				}
				bit := at*8 + at%8
				must(t, disk.FlipBit(s.path(name), bit))
				if len(s.damages()) == 0 {
					t.Errorf("%s: bit %d is flipped and nobody sees it", name, bit)
				}
				must(t, disk.FlipBit(s.path(name), bit))
			}
		}
	})
}

func TestVerifyFindsEveryCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, disk := newSite(t)
		names := []string{s.publish("a", "b") + ".spool", s.receive("c", "d")}
		whole, err := disk.ReadFile(s.path(names[1]))
		must(t, err)
		// A journal file has no mark at its end: behind a block, nothing is missing.
		ends := map[int]bool{32: true, len(whole) - (len(whole)-32)/2: true}
		for _, name := range names {
			data, err := disk.ReadFile(s.path(name))
			must(t, err)
			for n := range data {
				if name == names[1] && ends[n] {
					continue
				}
				disk.WriteFile(s.path(name), data[:n])
				if len(s.damages()) == 0 {
					t.Errorf("%s: %d of %d bytes are left and nobody sees it", name, n, len(data))
				}
			}
			disk.WriteFile(s.path(name), data)
		}
	})
}

func TestVerifyDecodesEveryRecord(t *testing.T) {
	good := record(t, 1, 1, "a")
	twice := good
	twice.Data = append(append([]byte(nil), good.Data...), good.Data...)
	counted := good
	counted.Events = 2
	for name, r := range map[string]event.Record{
		"no gzip": {Listener: "l", Events: 1, Data: []byte("plain")}, "a second member": twice, "another count": counted,
	} {
		s, disk := newSite(t)
		_, err := spool.Restore(disk, s.dir, "1700000000000001-000", func(yield func(event.Record) bool) { yield(r) })
		must(t, err)
		if got := s.damages(); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
