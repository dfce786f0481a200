package relay

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/dtls/v3"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/cert"
)

// deliveredTo returns what a relay delivered into a directory, as log stream and
// last word of the message, sorted.
func deliveredTo(t *testing.T, dir string) (out []string) {
	t.Helper()
	a, err := archive.Open(t.Context(), archive.Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range a.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.LogStream+" "+e.Message[strings.LastIndexByte(e.Message, ' ')+1:])
	}
	slices.Sort(out)
	return out
}

func TestAPermittedClientCannotSpeakForOthers(t *testing.T) {
	dir := t.TempDir()
	own, _ := selfSigned(t)
	crt, key := filepath.Join(dir, "own.crt"), filepath.Join(dir, "own.key")
	if err := own.Write(crt, key, false); err != nil {
		t.Fatal(err)
	}
	pair, err := cert.Generate(cert.Request{Hosts: []string{"fw1.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	name := pair.Leaf.Subject.CommonName
	for _, tt := range []struct {
		binding, naming string
		want            []string
	}{
		{"off", "hostname", []string{"fw1 one", "fw2.example.com two"}},
		{"note", "address", []string{"127.0.0.1 one", "127.0.0.1/hostname-not-of-CN two"}},
		{"note", "hostname", []string{"127.0.0.1/hostname-not-of-CN two", "fw1 one"}},
		{"note", "certificate", []string{"CN one", "CN/hostname-not-of-CN two"}},
		{"note", "listener", []string{"127.0.0.1/hostname-not-of-CN two", "LISTENER one"}},
		{"refuse", "hostname", []string{"fw1 one"}},
	} {
		for _, network := range []string{"tls", "dtls"} {
			t.Run(tt.binding+" "+tt.naming+" "+network, func(t *testing.T) {
				out, port := t.TempDir(), freePort(t)
				r := start(t, t.TempDir(), map[string]string{
					"local": out, "cert": crt, "key": key, "permit": cert.Fingerprint(client.Certificate[0]),
					"dtls-port": port, "stream-name": tt.naming, "bind-hostname": tt.binding,
				})
				listener := ""
				for _, l := range r.Listening() {
					if l.Network == network {
						listener = l.Name
					}
				}
				messages := []string{"<13>1 - fw1 - - - - one\n", "<13>1 - fw2.example.com - - - - two\n"}
				if network == "tls" {
					conn, err := tls.Dial("tcp", r.tls, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{client}})
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					say(t, conn, messages)
					if err := conn.CloseWrite(); err != nil {
						t.Fatal(err)
					}
					if _, err := conn.Read(make([]byte, 1)); err != io.EOF { // it has been read to its end
						t.Fatal(err)
					}
				} else {
					n, err := strconv.Atoi(port)
					if err != nil {
						t.Fatal(err)
					}
					conn, err := dtls.DialWithOptions("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n},
						dtls.WithCertificates(client), dtls.WithInsecureSkipVerify(true))
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					say(t, conn, messages)
					r.took(listener, uint64(len(messages)))
				}
				r.shutdown()
				want := slices.Clone(tt.want)
				for i := range want {
					want[i] = strings.NewReplacer("LISTENER", listener, "CN", name).Replace(want[i])
				}
				slices.Sort(want)
				if d := cmp.Diff(want, deliveredTo(t, out)); d != "" {
					t.Error(d)
				}
				dropped := uint64(len(messages) - len(want))
				for _, b := range r.ledger.Snapshot() {
					if b.Listener == listener && (b.Dropped["hostname"] != dropped || b.Received != uint64(len(messages))) {
						t.Errorf("ledger: %+v", b)
					}
				}
				if logged := strings.Contains(r.log.String(), "hostname=fw2.example.com"); logged != (tt.binding != "off") {
					t.Errorf("the log tells of it: %v\n%s", logged, r.log)
				}
			})
		}
	}
}

// took waits until a listener has taken so many messages, dropped ones too.
func (r *running) took(listener string, messages uint64) {
	r.t.Helper()
	waitFor(r.t, func() bool {
		for _, b := range r.ledger.Snapshot() {
			if b.Listener == listener {
				return b.Received == messages
			}
		}
		return false
	})
}

func say(t *testing.T, conn io.Writer, messages []string) {
	t.Helper()
	for _, m := range messages {
		if _, err := io.WriteString(conn, m); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogStreamsAreNamedAfterVPCEndpointsIfAskedFor(t *testing.T) {
	out := t.TempDir()
	r := start(t, t.TempDir(), map[string]string{"local": out, "port": "0", "proxy-trust": "127.0.0.1", "stream-name": "endpoint"})
	const id = "vpce-08d2bf15fac5001c9"
	tlv := "\xea\x00\x17\x01" + id
	header := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00" + string(rune(12+len(tlv))) + "\xc0\x00\x02\x07\x0a\x00\x00\x01\x8b\x3c\x02\x02" + tlv
	for network, address := range map[string]string{"tcp": r.tcp, "udp": r.udp} {
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s<13>1 - fw1 - - - - %s\n", header, network)
	}
	for _, l := range r.Listening() {
		r.took(l.Name, 1)
	}
	r.shutdown()
	if d := cmp.Diff([]string{id + "/192.0.2.7 tcp", id + "/192.0.2.7 udp"}, deliveredTo(t, out)); d != "" {
		t.Error(d)
	}
}
