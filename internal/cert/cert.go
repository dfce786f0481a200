// Package cert makes and loads the key pairs of TLS listeners. RFC 5425
// section 5 asks every implementation for a generator of key pairs and
// self-signed certificates, and for their fingerprints: this is it.
package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// DefaultValidity is how long a certificate is good if nobody says otherwise.
// Devices that were told its fingerprint are visited seldom.
const DefaultValidity = 10 * 365 * 24 * time.Hour

// backdate lets clients whose clock is behind ours connect at once.
const backdate = time.Hour

// Request says what certificate to make.
type Request struct {
	// Hosts are the names and IP addresses that the certificate is for, beside
	// this machine's own: its host name, localhost, 127.0.0.1 and ::1.
	Hosts []string
	// Validity is counted from Now; DefaultValidity if 0.
	Validity time.Duration
	// Now is when the certificate is made; the present if zero.
	Now time.Time
}

// Pair is a key pair with its self-signed certificate.
type Pair struct {
	CertPEM []byte
	KeyPEM  []byte // PKCS #8, a secret
	Leaf    *x509.Certificate
}

// Generate makes a new ECDSA P-256 key and a certificate for it that is signed
// with it, good for servers and for clients.
func Generate(r Request) (*Pair, error) {
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	if r.Validity == 0 {
		r.Validity = DefaultValidity
	}
	if r.Validity < 0 {
		return nil, fmt.Errorf("a certificate cannot be good for %s: give a time above zero", r.Validity)
	}
	template, err := r.template()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate just made: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the key: %w", err)
	}
	return &Pair{
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		Leaf:    leaf,
	}, nil
}

func (r Request) template() (*x509.Certificate, error) {
	hostname, err := os.Hostname()
	if err != nil || !isDNSName(hostname) {
		hostname = "localhost" // a machine without a usable name is reached by address
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName(hostname)},
		NotBefore:             r.Now.Add(-backdate),
		NotAfter:              r.Now.Add(r.Validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range slices.Concat([]string{hostname, "localhost", "127.0.0.1", "::1"}, r.Hosts) {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
			t.IPAddresses = appendNew(t.IPAddresses, net.IP(ip.Unmap().AsSlice()), net.IP.Equal)
		} else if isDNSName(strings.TrimPrefix(host, "*.")) {
			t.DNSNames = appendNew(t.DNSNames, host, strings.EqualFold)
		} else {
			return nil, fmt.Errorf("%q is neither a host name nor an IP address", host)
		}
	}
	return t, nil
}

// commonName cuts a name to the 64 characters that X.520 allows; clients look
// at the alternative names.
func commonName(hostname string) string { return hostname[:min(len(hostname), 64)] }

func appendNew[E any](list []E, e E, equal func(a, b E) bool) []E {
	if slices.ContainsFunc(list, func(have E) bool { return equal(have, e) }) {
		return list
	}
	return append(list, e)
}

// isDNSName allows underscores, which hosts do have in their names.
func isDNSName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		bad := func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, bad) {
			return false
		}
	}
	return true
}
