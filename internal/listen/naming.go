package listen

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"

	"github.com/pion/dtls/v3"
)

// naming says what log streams are named after, if not the sender's address.
type naming struct {
	byCertificate, byEndpoint bool
}

// stream is what the log stream of a client is called, given its certificate, if
// it has one, and how it came; empty if it is its address.
func (n naming) stream(c *x509.Certificate, via vpcEndpoint, sender netip.Addr) string {
	switch {
	case n.byCertificate:
		return certificateName(c)
	case n.byEndpoint:
		return via.stream(sender)
	}
	return ""
}

// peerCertificate is what the client has shown, or nil if conn is not TLS or the
// client has shown none.
func peerCertificate(conn net.Conn) *x509.Certificate {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return nil
	}
	certificates := secure.ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return nil
	}
	return certificates[0]
}

// dtlsCertificate is the same over DTLS. The certificate has been read once, to
// see whether it is permitted, so it can be read again.
func dtlsCertificate(conn *dtls.Conn) *x509.Certificate {
	state, ok := conn.ConnectionState()
	if !ok || len(state.PeerCertificates) == 0 {
		return nil
	}
	c, err := x509.ParseCertificate(state.PeerCertificates[0])
	if err != nil {
		return nil
	}
	return c
}

// certificateName is the subject's common name, or else the first name in
// subjectAltName; empty without a certificate.
func certificateName(c *x509.Certificate) string {
	switch {
	case c == nil:
		return ""
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	}
	return ""
}
