package access

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// Handshake is what a handshake needs to know that crypto/tls does not make,
// as with DTLS. It is one reading of the files: take a new one for each.
type Handshake struct {
	// Certificates are our own. Clients that name a host are shown the first
	// that is for it, others the first of all.
	Certificates []tls.Certificate
	// Auth says whether clients are asked for a certificate.
	Auth   Auth
	policy *Policy
}

// Handshake returns the newest reading.
func (s *Store) Handshake() Handshake {
	r := s.current.Load()
	return Handshake{Certificates: r.pairs, Auth: r.policy.auth, policy: r.policy}
}

// Permit returns nil if a client that has shown these certificates, its own
// first, may speak at this time, and else why not, a Refusal. That the client
// holds the key must have been proven.
func (h Handshake) Permit(certificates []*x509.Certificate, now time.Time) error {
	return h.policy.admit(certificates, now)
}
