package listen

import (
	"crypto/tls"
	"crypto/x509"
	"net"
)

// peerName is what the certificate of the client calls it, or empty if conn is
// not TLS or the client has shown none.
func peerName(conn net.Conn) string {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return ""
	}
	certificates := secure.ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return ""
	}
	return certificateName(certificates[0])
}

// certificateName is the subject's common name, or else the first name in
// subjectAltName.
func certificateName(c *x509.Certificate) string {
	switch {
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
