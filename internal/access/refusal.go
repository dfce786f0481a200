package access

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kinesyslog/internal/cert"
)

// Reason says in a word why somebody may not speak.
type Reason string

// The reasons that a Refusal can have.
const (
	NoCertificate Reason = "no_certificate" // one is required
	Untrusted     Reason = "untrusted"      // no --client-ca vouches for it, or not for clients
	Expired       Reason = "expired"        // or not valid yet
	Revoked       Reason = "revoked"        // a --crl names it
	StaleCRL      Reason = "stale_crl"      // the --crl that would name it has expired
	NotPermitted  Reason = "not_permitted"  // no --permit is for it
)

// Reasons returns all of them, for metrics.
func Reasons() []Reason {
	return []Reason{NoCertificate, Untrusted, Expired, Revoked, StaleCRL, NotPermitted}
}

// Refusal is the error of a handshake with somebody who may not speak. Its text
// names the certificate, says what is wrong, and what to change if it should be
// let in.
type Refusal struct {
	Reason      Reason
	Subject     string // the certificate's, shortened; empty without one
	Fingerprint string // likewise, SHA-256
	Names       []string
	Err         error
}

// maxSubject bounds what a stranger's certificate puts into the log.
const maxSubject = 200

// maxNames likewise.
const maxNames = 5

func newRefusal(c *x509.Certificate, reason Reason, err error) *Refusal {
	return &Refusal{Reason: reason, Subject: shorten(c.Subject.String()), Fingerprint: cert.Fingerprint(c.Raw), Names: names(c), Err: err}
}

func (r *Refusal) Error() string {
	if r.Reason == NoCertificate {
		return r.Err.Error()
	}
	return fmt.Sprintf("certificate of %q with fingerprint %s is refused: %v", r.Subject, r.Fingerprint, r.Err)
}

// Unwrap returns what is wrong, without the certificate.
func (r *Refusal) Unwrap() error { return r.Err }

var errNoCertificate = errors.New("client shows no certificate: give it one that an authority of --client-ca has signed, or one whose fingerprint is in --permit; or let it in without, with --client-auth request")

// AsRefusal finds the Refusal in the error of a TLS handshake. crypto/tls says
// only in words that a client has shown no certificate.
func AsRefusal(err error) (*Refusal, bool) {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r, true
	}
	if err != nil && strings.Contains(err.Error(), "client didn't provide a certificate") {
		return &Refusal{Reason: NoCertificate, Err: errNoCertificate}, true
	}
	return nil, false
}

// names returns the rules that would let a certificate in by a name of its.
func names(c *x509.Certificate) (out []string) {
	out = append(out, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(c.DNSNames) == 0 && c.Subject.CommonName != "" {
		out = append(out, "cn:"+c.Subject.CommonName)
	}
	for i, name := range out {
		out[i] = shorten(name)
	}
	return slices.Clip(out[:min(len(out), maxNames)])
}

func shorten(s string) string {
	if len(s) > maxSubject {
		return s[:maxSubject] + "…"
	}
	return s
}
