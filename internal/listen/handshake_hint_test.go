package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestHandshakesThatFailAreLoggedWithWhatToDo(t *testing.T) {
	c := testCertificate(t)
	hello := func(config *tls.Config) func(*testing.T, string) {
		return func(t *testing.T, addr string) {
			if err := tls.Client(dial(t, "tcp", addr), config).Handshake(); err == nil {
				t.Error("they shook hands")
			}
		}
	}
	for _, tt := range []struct {
		name string
		try  func(t *testing.T, addr string)
		want string
	}{
		{"plain text", func(t *testing.T, addr string) { send(t, dial(t, "tcp", addr), "<13>no handshake at all\n") }, "does not speak TLS"},
		{"silence", func(t *testing.T, addr string) { dial(t, "tcp", addr) }, "did not go on"},
		{"an old version", hello(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), "--tls-min"},
		{
			"an old suite", hello(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}),
			"RFC 9662",
		},
		{"no trust in us", hello(&tls.Config{ServerName: "relay.test", RootCAs: x509.NewCertPool()}), "does not trust our certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv()
			patience := 10 * time.Second
			if tt.name == "silence" {
				patience = 200 * time.Millisecond
			}
			l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server(), Handshake: patience}))
			tt.try(t, l.Addr().String())
			e.log.wait(t, tt.want)
			waitForMetric(t, e, "kinesyslog_tls_handshake_failures_total", 1)
		})
	}
	if h := handshakeHint(errors.New("something new")); !strings.Contains(h, "client's log") {
		t.Errorf("an error that is not known: %q", h)
	}
}
