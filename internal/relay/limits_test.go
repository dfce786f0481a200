package relay

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/config"
	"kinesyslog/internal/listen"
)

func TestNoSenderCanTakeAllConnectionsByDefault(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      config.Listen
		files    int
		want     listen.LimitOptions
		possible int
	}{
		{"many files", config.Listen{}, 1 << 20, listen.LimitOptions{Connections: 16384, ConnectionsPerAddress: 12288}, 1<<20 - 256},
		{"few files", config.Listen{}, 1024, listen.LimitOptions{Connections: 768, ConnectionsPerAddress: 576}, 768},
		{"hardly any", config.Listen{}, 100, listen.LimitOptions{Connections: 64, ConnectionsPerAddress: 48}, 64},
		{
			"as asked",
			config.Listen{MaxConnections: 2000, MaxConnectionsPerAddress: 10, MaxConnectionMemory: 1 << 20, RateLimit: 5},
			1024,
			listen.LimitOptions{Connections: 2000, ConnectionsPerAddress: 10, Memory: 1 << 20, Rate: 5},
			768,
		},
		{"one", config.Listen{MaxConnections: 1}, 1024, listen.LimitOptions{Connections: 1, ConnectionsPerAddress: 1}, 768},
	} {
		got, possible := limitOptions(&tt.cfg, tt.files)
		if d := cmp.Diff(tt.want, got); d != "" || possible != tt.possible {
			t.Errorf("%s: %d are possible, want %d; limits (-want +got):\n%s", tt.name, possible, tt.possible, d)
		}
	}
}

func TestClientsBehindABalancerAndOnTheHostHaveTheirLogStreams(t *testing.T) {
	dir := t.TempDir()
	delivered, socket := filepath.Join(dir, "delivered"), filepath.Join(dir, "log")
	r := start(t, filepath.Join(dir, "spool"), map[string]string{
		"local": delivered, "unix": socket, "proxy-trust": "127.0.0.1", "allow": "192.0.2.0/24",
	})
	write(t, "tcp", r.tcp, "PROXY TCP4 192.0.2.7 127.0.0.1 5000 514\r\n<13>over TCP\n")
	write(t, "udp", r.udp, "\r\n\r\n\x00\r\nQUIT\n\x21\x12\x00\x0c\xc0\x00\x02\x08\x7f\x00\x00\x01\x13\x88\x02\x02<13>over UDP")
	write(t, "udp", r.udp, "<13>not allowed")
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("<13>over a Unix socket")); err != nil {
		t.Fatal(err)
	}
	received := func() (n uint64) {
		for _, b := range r.ledger.Snapshot() {
			n += b.Received
		}
		return n
	}
	for end := time.Now().Add(20 * time.Second); received() < 3 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	r.shutdown()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), archive.Options{}, delivered)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for e, err := range a.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[e.Message[strings.LastIndex(e.Message, "over"):]] = e.LogGroup[strings.LastIndex(e.LogGroup, "/")+1:] + " " + e.LogStream
	}
	_, tcp, _ := net.SplitHostPort(r.tcp)
	_, udp, _ := net.SplitHostPort(r.udp)
	want := map[string]string{"over TCP": tcp + " 192.0.2.7", "over UDP": udp + " 192.0.2.8", "over a Unix socket": "unix " + host}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("log groups and streams (-want +got):\n%s", d)
	}
}
