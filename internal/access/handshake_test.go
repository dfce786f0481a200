package access

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kinesyslog/internal/cert"
)

// shaken is how a handshake ended, on both sides.
type shaken struct {
	state          tls.ConnectionState // the client's
	client, server error
}

// shake makes a connection and sends an octet each way.
func shake(t *testing.T, s *Store, client *tls.Config) (out shaken) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer conn.Close()
		secure := tls.Server(conn, s.Config())
		if err := secure.Handshake(); err != nil {
			served <- err
			return
		}
		_, err = secure.Write([]byte("x"))
		served <- err
	}()
	client = client.Clone()
	client.InsecureSkipVerify = true
	if client.ServerName == "" {
		client.ServerName = "localhost"
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	secure := tls.Client(conn, client)
	_, out.client = secure.Read(make([]byte, 1)) // shakes hands first; with TLS 1.3 a refusal comes afterwards
	out.server = <-served
	out.state = secure.ConnectionState()
	return out
}

func versions(t *testing.T, f func(t *testing.T, version uint16)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { f(t, version) })
	}
}

func clientConfig(version uint16, certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: version, MaxVersion: version, Certificates: certificates, CipherSuites: allSuites()}
}

func allSuites() (ids []uint16) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
}

func TestARefusedClientSeesAnAlert(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	s := open(t, Options{Auth: Require, Authorities: []string{putCA(t, a)}, Permit: rules(t, "fw.example.com")})
	versions(t, func(t *testing.T, version uint16) {
		if r := shake(t, s, clientConfig(version, a.client(t, named("fw.example.com")))); r.client != nil || r.server != nil {
			t.Errorf("who is permitted: %v, %v", r.client, r.server)
		}
		for reason, certificates := range map[Reason][]tls.Certificate{
			NotPermitted: {a.client(t, named("other.example.com"))}, NoCertificate: nil,
		} {
			r := shake(t, s, clientConfig(version, certificates...))
			refusal, ok := AsRefusal(r.server)
			if !ok || refusal.Reason != reason {
				t.Errorf("server: got %v, want %s", r.server, reason)
			}
			if opErr, ok := errors.AsType[*net.OpError](r.client); !ok || opErr.Op != "remote error" {
				t.Errorf("client of %s: got %v, want an alert", reason, r.client)
			}
		}
	})
}

func TestWithRequestOneMayShowNothingButNotSomethingBad(t *testing.T) {
	a, b := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	s := open(t, Options{Auth: Request, Authorities: []string{putCA(t, a)}})
	versions(t, func(t *testing.T, version uint16) {
		stranger := b.client(t, nil)
		// Sent although the server names other authorities.
		insist := clientConfig(version)
		insist.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
		if r := shake(t, s, clientConfig(version)); r.server != nil || r.client != nil {
			t.Errorf("no certificate: %v, %v", r.server, r.client)
		}
		if r := shake(t, s, clientConfig(version, a.client(t, nil))); r.server != nil {
			t.Errorf("a good one: %v", r.server)
		}
		if refusal, ok := AsRefusal(shake(t, s, insist).server); !ok || refusal.Reason != Untrusted {
			t.Errorf("a bad one: %v", refusal)
		}
	})
}

// A self-signed pair on both sides: each knows the other's fingerprint only.
func TestFingerprintsOnBothSidesNeedNoAuthority(t *testing.T) {
	self := func() tls.Certificate {
		pair, err := cert.Generate(cert.Request{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine := self()
	a := newAuthority(t, "ours", nil)
	for name, o := range map[string]Options{
		"alone":               {Auth: Require, Permit: rules(t, cert.Fingerprint(mine.Certificate[0]))},
		"beside an authority": {Auth: Require, Permit: rules(t, cert.Fingerprint(mine.Certificate[0]), "fw.example.com"), Authorities: []string{putCA(t, a)}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, o)
			versions(t, func(t *testing.T, version uint16) {
				r := shake(t, s, clientConfig(version, mine))
				if r.server != nil || r.client != nil {
					t.Fatalf("%v, %v", r.server, r.client)
				}
				if got, want := cert.Fingerprint(r.state.PeerCertificates[0].Raw), cert.Fingerprint(s.Certificates()[0].Leaf.Raw); got != want {
					t.Errorf("the client sees %s, want %s", got, want)
				}
				if r := shake(t, s, clientConfig(version, self())); r.server == nil {
					t.Error("another one got in")
				}
			})
		})
	}
}

// RFC 9662, and RFC 9325 for the rest.
func TestOnlyForwardSecretSuitesAreSpoken(t *testing.T) {
	dir := t.TempDir()
	rsaPair := writeRSA(t, dir)
	ecdsaPair, _ := ownPair(t, dir, "ec")
	for kind, pair := range map[string]KeyPair{"RSA": rsaPair, "ECDSA": ecdsaPair} {
		s := open(t, Options{Pairs: []KeyPair{pair}})
		for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			if slices.Contains(suite.SupportedVersions, tls.VersionTLS13) {
				continue
			}
			config := clientConfig(tls.VersionTLS12)
			config.CipherSuites = []uint16{suite.ID}
			want := strings.HasPrefix(suite.Name, "TLS_ECDHE_"+kind) && !strings.Contains(suite.Name, "_CBC_") && !strings.Contains(suite.Name, "RC4")
			if r := shake(t, s, config); (r.client == nil) != want {
				t.Errorf("%s with %s: %v", suite.Name, kind, r.client)
			}
		}
	}
}

func TestOldVersionsAreNotSpoken(t *testing.T) {
	for least, refused := range map[uint16]uint16{0: tls.VersionTLS11, tls.VersionTLS12: tls.VersionTLS11, tls.VersionTLS13: tls.VersionTLS12} {
		s := open(t, Options{MinVersion: least})
		if r := shake(t, s, clientConfig(refused)); r.client == nil {
			t.Errorf("with %x %x is spoken", least, refused)
		}
		if r := shake(t, s, clientConfig(tls.VersionTLS13)); r.client != nil {
			t.Errorf("with %x TLS 1.3 is not spoken: %v", least, r.client)
		}
	}
}

func TestTheCertificateForTheNamedHostIsShown(t *testing.T) {
	dir := t.TempDir()
	first, _ := ownPair(t, dir, "a", "a.example.com")
	second, _ := ownPair(t, dir, "b", "*.example.net")
	s := open(t, Options{Pairs: []KeyPair{first, second}})
	for host, want := range map[string]int{"a.example.com": 0, "b.example.net": 1, "unknown.test": 0} {
		config := clientConfig(tls.VersionTLS13)
		config.ServerName = host
		r := shake(t, s, config)
		if r.client != nil {
			t.Fatal(r.client)
		}
		if !r.state.PeerCertificates[0].Equal(s.Certificates()[want].Leaf) {
			t.Errorf("%s is shown another certificate", host)
		}
	}
}

func TestAResumedSessionIsHeldAgainstTheNewestPolicy(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	dir := t.TempDir()
	ca := putCA(t, a)
	versions(t, func(t *testing.T, version uint16) {
		allowed := put(t, filepath.Join(dir, "rules"), []byte("fw.example.com\nfw2.example.com\n"))
		s := open(t, Options{Auth: Require, Authorities: []string{ca}, PermitFiles: []string{allowed}})
		client := func(name string) *tls.Config {
			config := clientConfig(version, a.client(t, named(name)))
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			return config
		}
		out, stays := client("fw.example.com"), client("fw2.example.com")
		for _, config := range []*tls.Config{out, stays} {
			shake(t, s, config)
			if r := shake(t, s, config); r.client != nil || !r.state.DidResume {
				t.Fatalf("not resumed: %v", r.client)
			}
		}
		put(t, allowed, []byte("fw2.example.com\n"))
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
		if refusal, ok := AsRefusal(shake(t, s, out).server); !ok || refusal.Reason != NotPermitted {
			t.Errorf("who is not permitted any more: %v", refusal)
		}
		if r := shake(t, s, stays); r.client != nil || r.state.DidResume {
			t.Errorf("who still is: %v, resumed %t", r.client, r.state.DidResume)
		}
	})
}

// The policy does not change, but what it is about does.
func TestAResumedSessionDoesNotOutliveItsCertificate(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	s := open(t, Options{Auth: Require, Authorities: []string{putCA(t, a)}})
	versions(t, func(t *testing.T, version uint16) {
		t.Parallel()
		end := time.Now().Add(time.Second)
		config := clientConfig(version, a.client(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = end.Add(-time.Hour), end }))
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		if r := shake(t, s, config); r.client != nil {
			t.Fatal(r.client)
		}
		<-time.After(time.Until(end.Add(time.Second))) // certificates know seconds only
		if r := shake(t, s, config); r.server == nil {
			t.Errorf("got in, resumed %t", r.state.DidResume)
		}
	})
}
