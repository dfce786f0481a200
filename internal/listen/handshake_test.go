package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"kinesyslog/internal/access"
)

// refusing is a listener's configuration that lets nobody in, for a reason.
func refusing(c certificate, reason access.Reason) *tls.Config {
	config := c.server()
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = func(tls.ConnectionState) error {
		return &access.Refusal{Reason: reason, Subject: "CN=fw", Fingerprint: "sha-256:AA", Err: errors.New("no rule is for it")}
	}
	return config
}

func clientCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "fw"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// With TLS 1.3 a client may send before it knows whether it is let in. Closing
// on what it sent would reset the connection in place of the alert.
func TestARefusedClientThatSendsAtOnceSeesTheAlert(t *testing.T) {
	c := testCertificate(t)
	e := newEnv()
	l, stop := startTCP(t, e.tcp(TCPOptions{TLS: refusing(c, access.NotPermitted)}))
	const clients = 10
	for range clients {
		config := c.client()
		config.Certificates = []tls.Certificate{clientCertificate(t)}
		conn := dialTLS(t, l.Addr().String(), config)
		_, err := conn.Write([]byte(strings.Repeat("<13>hello\n", 10_000)))
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		if err == nil || !strings.Contains(err.Error(), "remote error: tls: ") {
			t.Errorf("got %v, want an alert", err)
		}
	}
	stop()
	if n := e.metric(t, "kinesyslog_refused_total", "certificate_not_permitted"); n != clients {
		t.Errorf("%v refusals counted, want %d", n, clients)
	}
	if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 {
		t.Errorf("%v of them counted as failures, too", n)
	}
	if got := len(e.journal.messages()); got != 0 {
		t.Errorf("%d messages were taken", got)
	}
	for _, want := range []string{"TLS client refused", "reason=not_permitted", "CN=fw", "sha-256:AA", "no rule is for it"} {
		if !strings.Contains(e.log.String(), want) {
			t.Errorf("%s is not in the log: %s", want, e.log)
		}
	}
}

// Each reason is sampled by itself, so that a stranger who tries all the time
// does not hide the device whose certificate has expired.
func TestOneKindOfRefusalDoesNotHideAnotherInTheLog(t *testing.T) {
	c := testCertificate(t)
	e := newEnv()
	reasons := access.Reasons()
	var next int
	server := c.server()
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		next++
		return refusing(c, reasons[(next-1)%len(reasons)]), nil
	}
	l, stop := startTCP(t, e.tcp(TCPOptions{TLS: server}))
	for range 2 * len(reasons) {
		config := c.client()
		config.Certificates = []tls.Certificate{clientCertificate(t)}
		_, _ = dialTLS(t, l.Addr().String(), config).Read(make([]byte, 1))
	}
	stop()
	for _, reason := range reasons {
		if n := strings.Count(e.log.String(), fmt.Sprintf("reason=%s ", reason)); n != 1 {
			t.Errorf("%s is in the log %d times, want once", reason, n)
		}
	}
}
