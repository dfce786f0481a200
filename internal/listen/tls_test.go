package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type certificate struct {
	pair tls.Certificate
	pool *x509.CertPool
}

func testCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"relay.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return certificate{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool}
}

func (c certificate) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c.pair}}
}

func (c certificate) client() *tls.Config {
	return &tls.Config{RootCAs: c.pool, ServerName: "relay.test"}
}

func dialTLS(t *testing.T, addr string, config *tls.Config) *tls.Conn {
	t.Helper()
	conn := tls.Client(dial(t, "tcp", addr), config)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestTLSVersions(t *testing.T) {
	c := testCertificate(t)
	old := c.server()
	old.MinVersion = tls.VersionTLS10
	for _, tt := range []struct {
		version uint16
		ok      bool
	}{{tls.VersionTLS11, false}, {tls.VersionTLS12, true}, {tls.VersionTLS13, true}} {
		t.Run(tls.VersionName(tt.version), func(t *testing.T) {
			e := newEnv()
			l, _ := startTCP(t, e.tcp(TCPOptions{TLS: old}))
			if want := fmt.Sprintf("tls/%d", l.Addr().(*net.TCPAddr).Port); l.Name() != want {
				t.Errorf("the listener is named %s, want %s", l.Name(), want)
			}
			config := c.client()
			config.MinVersion, config.MaxVersion = tt.version, tt.version
			if !tt.ok {
				conn := tls.Client(dial(t, "tcp", l.Addr().String()), config)
				if conn.Handshake() == nil {
					t.Error("the version was accepted")
				}
				waitForMetric(t, e, "kinesyslog_tls_handshake_failures_total", 1)
				return
			}
			conn := dialTLS(t, l.Addr().String(), config)
			send(t, conn, "6 <1>oct<2>li", "ne\n<3>last")
			finish(t, conn)
			if d := cmp.Diff([]string{"<1>oct", "<2>line", "<3>last"}, textsOf(e.journal.messages())); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 {
				t.Errorf("%v failures counted", n)
			}
		})
	}
}

func waitForMetric(t *testing.T, e *env, name string, want float64) {
	t.Helper()
	for end := time.Now().Add(patience); e.metric(t, name, "") != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s is %v, want %v", name, e.metric(t, name, ""), want)
		}
	}
}

func TestHandshakeHasATimeLimit(t *testing.T) {
	c, e := testCertificate(t), newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server(), Handshake: 20 * time.Millisecond}))
	conn := dial(t, "tcp", l.Addr().String())
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the listener answered a client that said nothing")
	}
	waitForMetric(t, e, "kinesyslog_tls_handshake_failures_total", 1)
}

func TestHealthCheckIsNoHandshakeFailure(t *testing.T) {
	c, e := testCertificate(t), newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server()}))
	finish(t, dial(t, "tcp", l.Addr().String()))
	if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 || e.log.String() != "" {
		t.Errorf("%v failures, log %q", n, e.log)
	}
}

func TestTLSShutdownReadsWhatIsOnItsWay(t *testing.T) {
	c, e := testCertificate(t), newEnv()
	l, stop := startTCP(t, e.tcp(TCPOptions{TLS: c.server()}))
	conn := dialTLS(t, l.Addr().String(), c.client())
	send(t, conn, "<1>a\n")
	e.journal.wait(t, 1)
	send(t, conn, "<2>b\n<3>c")
	stop()
	if d := cmp.Diff([]string{"<1>a", "<2>b", "<3>c"}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestTLSWithoutCertificateIsAnError(t *testing.T) {
	if _, err := NewTCP(newEnv().tcp(TCPOptions{TLS: &tls.Config{}})); err == nil {
		t.Error("a TLS listener without a certificate was made")
	}
}
