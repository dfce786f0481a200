package relay

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/archive"
)

// events returns what was delivered, one line each, sorted: log group without
// its port, timestamp and message.
func events(t *testing.T, dir string) (lines []string) {
	t.Helper()
	a, err := archive.Open(t.Context(), archive.Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range a.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		group := e.LogGroup[:strings.LastIndexByte(e.LogGroup, '/')]
		lines = append(lines, fmt.Sprint(group, " ", e.Timestamp, " ", e.Message))
	}
	slices.Sort(lines)
	return lines
}

// write sends bytes in writes of their own: datagrams, where the network is udp.
func write(t *testing.T, network, address string, data ...string) {
	t.Helper()
	var c net.Conn
	var err error
	if network == "tls" {
		c, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	} else {
		c, err = net.Dial(network, address)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, d := range data {
		if _, err := io.WriteString(c, d); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGELFIsDeliveredFromEveryListener(t *testing.T) {
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	text := func(from string) string {
		return fmt.Sprintf(`{"version":"1.1","host":"h","short_message":"%s","timestamp":%d.3072}`, from, now.Unix())
	}
	header := "<13>1 " + now.UTC().Format(time.RFC3339)
	var compressed bytes.Buffer
	z := zlib.NewWriter(&compressed)
	if _, err := io.WriteString(z, text("compressed")); err != nil {
		t.Fatal(err)
	}
	z.Close()
	packed := compressed.String()
	for _, gelf := range []string{"true", "false"} {
		dir := t.TempDir()
		r := start(t, t.TempDir(), map[string]string{"local": dir, "gelf": gelf})
		write(t, "udp", r.udp, text("udp"), "\x1e\x0f12345678\x01\x02"+packed[40:], "\x1e\x0f12345678\x00\x02"+packed[:40],
			"\x1e\x0f87654321\x00\x02 of which nothing more comes")
		write(t, "tcp", r.tcp, text("tcp")+"\x00"+text("tcp2")+"\x00")
		write(t, "tls", r.tls, text("tls")+"\n")
		write(t, "tcp", r.tcp, header+" h a - - - syslog\n")
		var want []string
		for _, from := range []string{"compressed", "tcp", "tcp2", "tls", "udp"} {
			want = append(want, fmt.Sprint("/kinesyslog/gelf ", now.UnixMilli()+307, " ", text(from)))
		}
		for end := time.Now().Add(20 * time.Second); len(events(t, dir)) < 6 && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		r.shutdown()
		got := events(t, dir)
		if len(got) == 6 && gelf == "true" { // it has the time of receipt
			if !strings.HasPrefix(got[5], "/kinesyslog/gelf ") || !strings.HasSuffix(got[5], "- - - syslog") {
				t.Errorf("syslog on a listener for GELF became %q", got[5])
			}
			got = got[:5]
		} else {
			want = append(want, fmt.Sprint("/kinesyslog/syslog ", now.UnixMilli(), " ", header, " h a - - - syslog"))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("--gelf=%s (-want +got):\n%s", gelf, d)
		}
		// What lacks a chunk is given up at the end, or after 5 s on a slow machine.
		dropped := map[bool]uint64{}
		for _, b := range r.ledger.Snapshot() {
			for reason, n := range b.Dropped {
				dropped[reason == "gelf_chunk_stopped" || reason == "gelf_chunk_expired"] += n
			}
		}
		if dropped[true] != 1 || dropped[false] != 0 {
			t.Errorf("--gelf=%s: %d messages dropped for lack of a chunk, want 1; %d for other reasons", gelf, dropped[true], dropped[false])
		}
	}
}
