package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kinesyslog/internal/cert"
)

// selfSigned makes a pair, for a server or a client.
func selfSigned(t *testing.T) (*cert.Pair, tls.Certificate) {
	t.Helper()
	pair, err := cert.Generate(cert.Request{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair, c
}

// loadOver sends numbered messages over one TLS connection, so many a second,
// until ctx is done. It returns what was sent; an error is the test's.
func loadOver(ctx context.Context, t *testing.T, conn *tls.Conn, name string, rate int) (sent []string) {
	defer conn.Close()
	const pace = 10 * time.Millisecond
	tick := time.NewTicker(pace)
	defer tick.Stop()
	began := time.Now()
	for ctx.Err() == nil {
		<-tick.C
		var b strings.Builder
		for due := int(time.Since(began).Seconds() * float64(rate)); len(sent) < due; {
			m := fmt.Sprintf("<13>1 2024-01-02T03:04:05.678Z host app - - - %s message %06d", name, len(sent))
			sent = append(sent, m)
			fmt.Fprintf(&b, "%d %s", len(m), m)
		}
		if _, err := io.WriteString(conn, b.String()); err != nil {
			t.Errorf("connection %s was closed after %d messages: %v", name, len(sent), err)
			return sent
		}
	}
	// What is shut in good order was not closed by the other side before.
	if err := conn.CloseWrite(); err != nil {
		t.Errorf("connection %s: %v", name, err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("connection %s ended with %v", name, err)
	}
	return sent
}

// KINESYSLOG_SWAPS asks for so many swaps under 20,000 messages a second on 50
// connections; otherwise it is less of all.
func TestCertificatesAreSwappedUnderLoadWithoutALossOrAClosedConnection(t *testing.T) {
	swaps, connections, rate, pause := 10, 8, 2000, 20*time.Millisecond
	if v := os.Getenv("KINESYSLOG_SWAPS"); v != "" {
		var err error
		if swaps, err = strconv.Atoi(v); err != nil {
			t.Fatalf("KINESYSLOG_SWAPS: %v", err)
		}
		connections, rate, pause = 50, 20_000, 250*time.Millisecond
	}
	dir, delivered := t.TempDir(), t.TempDir()
	var own [2]*cert.Pair
	for i := range own {
		own[i], _ = selfSigned(t)
	}
	_, client := selfSigned(t)
	crt, key := filepath.Join(dir, "own.crt"), filepath.Join(dir, "own.key")
	if err := own[0].Write(crt, key, false); err != nil {
		t.Fatal(err)
	}
	r := start(t, t.TempDir(), map[string]string{
		"local": delivered, "cert": crt, "key": key, "permit": cert.Fingerprint(client.Certificate[0]), "flush-interval": "500ms",
	})
	dial := func() *tls.Conn {
		conn, err := tls.Dial("tcp", r.tls, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{client}})
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	loading, quiet := context.WithCancel(t.Context())
	defer quiet()
	sent := make([][]string, connections)
	var senders sync.WaitGroup
	for i := range connections {
		conn := dial()
		senders.Go(func() { sent[i] = loadOver(loading, t, conn, strconv.Itoa(i), rate/connections) })
	}
	for i := range swaps {
		next := own[(i+1)%2]
		if err := next.Write(crt, key, true); err != nil {
			t.Fatal(err)
		}
		r.Reload()
		conn := dial()
		if shown := conn.ConnectionState().PeerCertificates[0]; !shown.Equal(next.Leaf) {
			t.Errorf("after swap %d the old certificate is shown", i+1)
		}
		conn.Close()
		time.Sleep(pause) // the load is to go on in between
	}
	quiet()
	senders.Wait()
	want := slices.Concat(sent...)
	waitFor(t, func() bool {
		var n uint64
		for _, b := range r.ledger.Snapshot() {
			n += b.Received
		}
		return n >= uint64(len(want))
	})
	r.shutdown()
	messages, _ := got(t, delivered)
	slices.Sort(want)
	if !slices.Equal(messages, want) {
		t.Errorf("%d messages were delivered of %d", len(messages), len(want))
	}
	t.Logf("%d swaps, %d connections, %d messages sent, %d delivered", swaps, connections, len(want), len(messages))
}

func TestRefusalsReloadsAndExpiryHaveMetricsAndLogLines(t *testing.T) {
	dir := t.TempDir()
	own, _ := selfSigned(t)
	_, client := selfSigned(t)
	_, stranger := selfSigned(t)
	crt, key := filepath.Join(dir, "own.crt"), filepath.Join(dir, "own.key")
	if err := own.Write(crt, key, false); err != nil {
		t.Fatal(err)
	}
	r := start(t, t.TempDir(), map[string]string{
		"local": t.TempDir(), "cert": crt, "key": key, "permit": cert.Fingerprint(client.Certificate[0]), "prometheus-port": freePort(t),
	})
	conn, err := tls.Dial("tcp", r.tls, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{stranger}})
	if err == nil {
		if _, err := conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "remote error: tls: ") {
			t.Errorf("the stranger sees %v, want an alert", err)
		}
		conn.Close()
	}
	r.Reload()
	if err := os.WriteFile(crt, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Reload()
	response, err := http.Get("http://" + r.AdminAddr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`kinesyslog_refused_total{listener="` + r.Listening()[2].Name + `",reason="certificate_not_permitted"} 1`,
		`kinesyslog_tls_reloads_total{result="ok"} 1`,
		`kinesyslog_tls_reloads_total{result="failed"} 1`,
		`kinesyslog_tls_certificate_expiry_days{file="` + crt + `"} 3649`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("not among the metrics: %s", want)
		}
	}
	r.shutdown()
	for _, want := range []string{"TLS client refused", "reason=not_permitted", "add --permit " + cert.Fingerprint(stranger.Certificate[0]), "what was read before stays in use"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("%s is not in the log\n%s", want, r.log)
		}
	}
}
