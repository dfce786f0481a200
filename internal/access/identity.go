package access

import (
	"bytes"
	"crypto/x509"
	"net/netip"
	"strings"

	"kinesyslog/internal/cert"
)

// Identity is who a client is by its certificate. It may be used from many
// goroutines.
type Identity struct {
	Subject     string // shortened, for the log
	Fingerprint string // SHA-256, as RFC 5425 writes it

	names     []string // in lower case, without a dot at the end
	addresses []netip.Addr
}

// NewIdentity returns the identity that a certificate gives. That it is good is
// for a Policy to find out.
func NewIdentity(c *x509.Certificate) *Identity {
	i := &Identity{Subject: shorten(c.Subject.String()), Fingerprint: cert.Fingerprint(c.Raw)}
	for _, octets := range c.IPAddresses {
		if ip, ok := netip.AddrFromSlice(octets); ok {
			i.addresses = append(i.addresses, ip.Unmap())
		}
	}
	names := c.DNSNames
	if len(c.DNSNames)+len(c.IPAddresses) == 0 && c.Subject.CommonName != "" {
		if ip, err := netip.ParseAddr(c.Subject.CommonName); err == nil {
			i.addresses = append(i.addresses, ip.Unmap())
		} else {
			names = []string{c.Subject.CommonName}
		}
	}
	for _, name := range names {
		i.names = append(i.names, canonical(name))
	}
	return i
}

// maxHostname is the longest HOSTNAME of RFC 5424.
const maxHostname = 255

// Bears tells whether the certificate bears a host name, so that its holder may
// speak for that host. These are borne:
//
//   - each dNSName in subjectAltName; one like *.example.com stands for all names
//     one label below example.com,
//   - the first label of each dNSName without a wildcard, as many hosts send
//     their name without the domain,
//   - each iPAddress, however it is written,
//   - the common name in place of a dNSName or iPAddress, if there is neither
//     (RFC 6125 section 6.4.4).
//
// ASCII letters may be of either case. A nil Identity, that of a client without a
// certificate, bears none. It allocates nothing unless the host is an address.
func (i *Identity) Bears(host []byte) bool {
	if i == nil || len(host) > maxHostname {
		return false
	}
	if isAddress(host) {
		ip, err := netip.ParseAddr(string(host))
		return err == nil && i.hasAddress(ip.Unmap())
	}
	short := bytes.IndexByte(host, '.') < 0
	host = bytes.TrimSuffix(host, []byte{'.'})
	if len(host) == 0 || bytes.IndexByte(host, '*') >= 0 {
		return false
	}
	dot := bytes.IndexByte(host, '.')
	for _, name := range i.names {
		parent, wildcard := strings.CutPrefix(name, "*.")
		switch {
		case wildcard:
			if dot > 0 && sameHost(host[dot+1:], parent) {
				return true
			}
		case sameHost(host, name):
			return true
		case short && strings.HasPrefix(name[min(len(host), len(name)):], ".") && sameHost(host, name[:len(host)]):
			return true
		}
	}
	return false
}

func (i *Identity) hasAddress(ip netip.Addr) bool {
	for _, own := range i.addresses {
		if own == ip {
			return true
		}
	}
	return false
}

// isAddress tells whether a host is written like an address: with a colon, or
// with digits and dots only.
func isAddress(host []byte) bool {
	other := 0
	for _, c := range host {
		switch {
		case c == ':':
			return true
		case (c < '0' || c > '9') && c != '.':
			other++
		}
	}
	return other == 0 && bytes.IndexByte(host, '.') >= 0
}

// sameHost compares a host with a name in lower case.
func sameHost(host []byte, name string) bool {
	if len(host) != len(name) {
		return false
	}
	for i, c := range host {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}
