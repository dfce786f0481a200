package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func generate(t *testing.T, r Request) *Pair {
	t.Helper()
	p, err := Generate(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestACertificateIsForThisMachineAndTheHostsAskedFor(t *testing.T) {
	p := generate(t, Request{Hosts: []string{"relay.example.com", "*.lan", "192.0.2.7", "2001:db8::7", "localhost"}})
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{hostname, "localhost", "127.0.0.1", "::1", "relay.example.com", "fw.lan", "192.0.2.7", "2001:db8::7"} {
		if err := p.Leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if p.Leaf.VerifyHostname("other.example.com") == nil {
		t.Error("the certificate is good for a host that nobody asked for")
	}
	if n := len(p.Leaf.IPAddresses); n != 4 {
		t.Errorf("%d addresses, want 4: %v", n, p.Leaf.IPAddresses)
	}
	if key, ok := p.Leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("key is %T, want P-256", p.Leaf.PublicKey)
	}
}

func TestAHostThatIsNoneIsRefused(t *testing.T) {
	for _, host := range []string{"", "a b", "-a", "a..b", "fe80::1%eth0", "a.*.b", "http://a", "a\n", strings.Repeat("a", 64)} {
		if _, err := Generate(Request{Hosts: []string{host}}); err == nil {
			t.Errorf("%q was taken", host)
		}
	}
}

func TestValidityIsTenYearsUnlessAskedOtherwise(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for ask, want := range map[time.Duration]time.Duration{0: DefaultValidity, 24 * time.Hour: 24 * time.Hour} {
		p := generate(t, Request{Validity: ask, Now: now})
		if got := p.Leaf.NotAfter.Sub(now); got != want {
			t.Errorf("asked for %s: good for %s, want %s", ask, got, want)
		}
		if !p.Leaf.NotBefore.Before(now) {
			t.Errorf("not good before %s", p.Leaf.NotBefore)
		}
	}
	if _, err := Generate(Request{Validity: -time.Hour}); err == nil {
		t.Error("a negative validity was taken")
	}
}

// The values come from openssl x509 -fingerprint for the certificate.
func TestFingerprintsAreThoseOfOpenSSL(t *testing.T) {
	data, err := os.ReadFile("testdata/example.crt")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	want, err := os.ReadFile("testdata/example.fingerprints")
	if err != nil {
		t.Fatal(err)
	}
	got := Fingerprint(block.Bytes) + "\n" + FingerprintSHA1(block.Bytes) + "\n"
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestThePairServesAClientThatTrustsIt(t *testing.T) {
	pair, err := LoadOrCreate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		here, there := net.Pipe()
		server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{pair}})
		go func() {
			_, _ = io.WriteString(server, "hello")
			_ = server.Close()
		}()
		client := tls.Client(here, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: version, MaxVersion: version})
		if got, err := io.ReadAll(client); err != nil || string(got) != "hello" {
			t.Errorf("TLS %x: got %q, %v", version, got, err)
		}
	}
}

func TestWriteKeepsTheKeySecretAndOldFiles(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key")
	first, second := generate(t, Request{}), generate(t, Request{})
	if err := first.Write(certFile, keyFile, false); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(keyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key has mode %v, error %v", info.Mode(), err)
	}
	if err := second.Write(certFile, keyFile, false); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	if err := second.Write(certFile, keyFile, false); !errors.Is(err, ErrExists) {
		t.Errorf("key alone: got %v, want ErrExists", err)
	}
	if key, err := os.ReadFile(keyFile); err != nil || !bytes.Equal(key, first.KeyPEM) {
		t.Errorf("the key was touched: %v", err)
	}
	if err := second.Write(certFile, keyFile, true); err != nil {
		t.Fatal(err)
	}
	got, err := Load(certFile, keyFile)
	if err != nil || !got.Leaf.Equal(second.Leaf) {
		t.Errorf("force did not replace the pair: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestWriteRefusesOneFileForBoth(t *testing.T) {
	if err := generate(t, Request{}).Write("x.pem", "./x.pem", true); err == nil {
		t.Error("no error")
	}
}

func TestAFailedWriteLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := generate(t, Request{}).Write(filepath.Join(dir, "a.crt"), filepath.Join(dir, "a.key"), true); err == nil {
		t.Error("no error")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestLoadSaysWhatIsWrongWithWhichFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := generate(t, Request{}).Write(at(name+".crt"), at(name+".key"), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(at("text"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ cert, key, want string }{
		{"none", "a.key", "cannot read the TLS certificate: open " + at("none")},
		{"a.crt", "none", "cannot read the TLS key: open " + at("none")},
		{"text", "a.key", "cannot use the TLS certificate " + at("text")},
		{"a.crt", "text", "cannot use the TLS certificate " + at("a.crt") + " with the key " + at("text")},
		{"a.crt", "b.key", "private key does not match public key"},
		{"a.key", "a.crt", "give a PEM certificate and its unencrypted PEM key"},
	} {
		_, err := Load(at(tt.cert), at(tt.key))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %s: got %v, want %s", tt.cert, tt.key, err, tt.want)
		}
	}
}

func TestLoadOrCreateKeepsItsPair(t *testing.T) {
	dir := t.TempDir()
	first, err := LoadOrCreate(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreate(dir)
	if err != nil || !again.Leaf.Equal(first.Leaf) {
		t.Errorf("another certificate the second time, error %v", err)
	}
}

func TestLoadOrCreateMendsAnIncompleteOrExpiredPair(t *testing.T) {
	for name, spoil := range map[string]func(certFile, keyFile string) error{
		"certificate gone": func(certFile, _ string) error { return os.Remove(certFile) },
		"key gone":         func(_, keyFile string) error { return os.Remove(keyFile) },
		"expired": func(certFile, keyFile string) error {
			p, err := Generate(Request{Validity: time.Hour, Now: time.Now().Add(-2 * time.Hour)})
			if err != nil {
				return err
			}
			return p.Write(certFile, keyFile, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := LoadOrCreate(dir); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(dir, SelfSignedCert), filepath.Join(dir, SelfSignedKey)); err != nil {
				t.Fatal(err)
			}
			pair, err := LoadOrCreate(dir)
			if err != nil {
				t.Fatal(err)
			}
			if Expired(pair, time.Now()) {
				t.Error("the pair has expired")
			}
		})
	}
}

func TestLoadOrCreateDoesNotReplaceWhatItDoesNotUnderstand(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{SelfSignedCert, SelfSignedKey} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := LoadOrCreate(dir); err == nil || !strings.Contains(err.Error(), "remove both") {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, SelfSignedKey)); string(got) != "precious" {
		t.Errorf("the key is now %q", got)
	}
}
