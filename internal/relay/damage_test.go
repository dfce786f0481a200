package relay

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJournalFileThatIsDamagedMeanwhileCostsOneBlockAndIsSetAside(t *testing.T) {
	const count = 5000
	spool, dir := t.TempDir(), t.TempDir()
	r := start(t, spool, map[string]string{"local": dir, "flush-interval": "15m"})
	conn, err := net.Dial("tcp", r.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var lines strings.Builder
	for i := range count {
		fmt.Fprintf(&lines, "<13>1 2024-01-02T03:04:05.678Z host app - - - message %06d %s\n", i, strings.Repeat("x", 200))
	}
	if _, err := io.WriteString(conn, lines.String()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		var n uint64
		for _, b := range r.ledger.Snapshot() {
			n += b.Received
		}
		return n == count
	})
	files, err := filepath.Glob(filepath.Join(spool, "*.journal"))
	if err != nil || len(files) != 1 {
		t.Fatalf("journal files: %v, %v", files, err)
	}
	f, err := os.OpenFile(files[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("?"), 500_000); err != nil {
		t.Fatal(err)
	}
	f.Close()

	r.shutdown() // the books balance
	messages, _ := got(t, dir)
	var dropped uint64
	for _, b := range r.ledger.Snapshot() {
		dropped += b.Dropped["damaged"]
	}
	if dropped == 0 || dropped > 1000 || uint64(len(messages))+dropped != count {
		t.Errorf("%d messages were delivered and %d booked as damaged, want %d together and one block of damage", len(messages), dropped, count)
	}
	if _, err := os.Stat(files[0] + ".bad"); err != nil {
		t.Errorf("the damaged file was not set aside: %v\n%s", err, r.log)
	}
}
