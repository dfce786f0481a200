package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"kinesyslog/internal/access"
)

// authority signs certificates for tests of DTLS, in a directory of its own.
type authority struct {
	dir  string
	pair tls.Certificate
	next int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.pair = a.sign(t, "ca", "")
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// sign makes a certificate for a host, and NAME.crt and NAME.key.
func (a *authority) sign(t *testing.T, name, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.next++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: host == "", BasicConstraintsValid: true,
	}
	parent, signer := template, any(key)
	if host != "" {
		template.DNSNames = []string{host}
		parent, signer = a.pair.Leaf, a.pair.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.write(t, name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a *authority) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(a.file(name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// store opens the policy of a relay for which this authority vouches.
func (a *authority) store(t *testing.T, o access.Options) *access.Store {
	t.Helper()
	a.sign(t, "relay", "relay.test")
	o.Pairs = []access.KeyPair{{Cert: a.file("relay.crt"), Key: a.file("relay.key")}}
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := access.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (e *env) dtls(opts DTLSOptions) DTLSOptions {
	if opts.Address == "" {
		opts.Address = "127.0.0.1"
	}
	e.journal.books = e.ledger
	opts.Journal, opts.Ledger, opts.Logger, opts.Registerer = e.journal, e.ledger, e.logger(), e.reg
	return opts
}

// startDTLS lets everybody in if the options do not say otherwise.
func startDTLS(t *testing.T, opts DTLSOptions) (*DTLS, func()) {
	t.Helper()
	if opts.Access == nil {
		opts.Access = newAuthority(t).store(t, access.Options{}).Handshake
	}
	l, err := NewDTLS(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

// filtered is a client's socket that sends only what may pass.
type filtered struct {
	net.PacketConn
	pass func(datagram []byte) bool
}

func (f filtered) WriteTo(b []byte, to net.Addr) (int, error) {
	if !f.pass(b) {
		return len(b), nil
	}
	return f.PacketConn.WriteTo(b, to)
}

func datagramSocket(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// shakeDTLS makes a session over a socket.
func shakeDTLS(t *testing.T, socket net.PacketConn, l *DTLS, within time.Duration, opts ...dtls.ClientOption) (*dtls.Conn, error) {
	t.Helper()
	opts = append(opts, dtls.WithInsecureSkipVerify(true), dtls.WithFlightInterval(200*time.Millisecond))
	conn, err := dtls.ClientWithOptions(socket, l.Addr(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return conn, conn.HandshakeContext(ctx)
}

func dialDTLS(t *testing.T, l *DTLS, opts ...dtls.ClientOption) *dtls.Conn {
	t.Helper()
	conn, err := shakeDTLS(t, datagramSocket(t), l, patience, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// clientHello returns what a client sends first.
func clientHello(t *testing.T, l *DTLS) []byte {
	t.Helper()
	hello := make(chan []byte, 1)
	var sent atomic.Bool
	socket := filtered{datagramSocket(t), func(b []byte) bool {
		if !sent.Swap(true) {
			hello <- append([]byte(nil), b...)
		}
		return false
	}}
	if _, err := shakeDTLS(t, socket, l, 50*time.Millisecond); err == nil {
		t.Fatal("a client that sends nothing has shaken hands")
	}
	return <-hello
}

// silent fails if anything comes within a while.
func silent(t *testing.T, conn net.Conn, within time.Duration) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	if n, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%x came, error %v", b[:n], err)
	}
}
