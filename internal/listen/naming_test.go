package listen

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"testing"
)

func TestACertificateIsCalledByItsCommonNameOrItsFirstOther(t *testing.T) {
	c := &x509.Certificate{}
	for _, step := range []struct {
		add  func()
		want string
	}{
		{func() {}, ""},
		{func() { c.URIs = []*url.URL{{Scheme: "spiffe", Host: "a", Path: "/b"}} }, "spiffe://a/b"},
		{func() { c.EmailAddresses = []string{"a@b"} }, "a@b"},
		{func() { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 7)} }, "192.0.2.7"},
		{func() { c.DNSNames = []string{"fw1.example.com", "fw2"} }, "fw1.example.com"},
		{func() { c.Subject = pkix.Name{CommonName: "fw"} }, "fw"},
	} {
		step.add()
		if got := certificateName(c); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
}

func TestLogStreamsAreNamedAfterTheClientsCertificateIfAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		byCertificate, shown bool
		want                 string
	}{
		"asked for":          {true, true, "fw"},
		"no certificate":     {true, false, "127.0.0.1"},
		"not asked for":      {false, true, "127.0.0.1"},
		"neither of the two": {false, false, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			e, own := newEnv(), testCertificate(t)
			config := own.server()
			config.ClientAuth = tls.RequestClientCert
			l, stop := startTCP(t, e.tcp(TCPOptions{TLS: config, NameByCertificate: c.byCertificate}))
			defer stop()
			client := own.client()
			if c.shown {
				client.Certificates = []tls.Certificate{clientCertificate(t)}
			}
			conn := dialTLS(t, l.Addr().String(), client)
			send(t, conn, "<13>syslog\n", `{"version":"1.1","host":"h","short_message":"gelf"}`+"\n")
			conn.Close()
			e.journal.wait(t, 2)
			e.journal.mu.Lock()
			defer e.journal.mu.Unlock()
			for _, src := range e.journal.sources {
				if src.LogStream() != c.want || src.Address != "127.0.0.1" {
					t.Errorf("log stream %s of %s, format %s", src.LogStream(), src.Address, src.Format)
				}
			}
			if len(e.journal.sources) != 2 {
				t.Errorf("%d sources", len(e.journal.sources))
			}
		})
	}
}
