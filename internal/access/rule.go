package access

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// Rule permits certificates. Those by fingerprint need nothing else; the others
// hold only for certificates that a trusted authority vouches for.
type Rule struct {
	kind ruleKind
	text string     // as people write it
	want string     // the sum's octets, or the name in lower case
	ip   netip.Addr // with byAddress
}

type ruleKind int

const (
	bySHA256 ruleKind = iota
	bySHA1
	byName
	byAddress
	byCommonName
)

// ParseRule reads one of
//
//	sha-256:AA:BB:…       the certificate's fingerprint (RFC 5425 section 4.2.2)
//	sha-1:AA:BB:…         likewise; weaker, but demanded by the RFC
//	fw.example.com        a dNSName in subjectAltName, also with dns: in front
//	*.example.com         any name one label below example.com
//	192.0.2.7, 2001:db8:: an iPAddress in subjectAltName, also with ip: in front
//	cn:fw                 the common name, if there is no dNSName (RFC 6125
//	                      section 6.4.4)
//
// Letters of names may be of either case. Colons in fingerprints may be left
// out.
func ParseRule(s string) (Rule, error) {
	r := Rule{text: s}
	prefix, value, prefixed := strings.Cut(s, ":")
	switch strings.ToLower(prefix) {
	case "sha-256", "sha256":
		return r.fingerprint(bySHA256, value, sha256.Size)
	case "sha-1", "sha1":
		return r.fingerprint(bySHA1, value, sha1.Size)
	case "cn":
		if !prefixed {
			break // a host by that name
		}
		if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
			return r, fmt.Errorf("%q names no common name: give it like cn:fw1", s)
		}
		r.kind, r.want = byCommonName, strings.ToLower(value)
		return r, nil
	case "dns":
		if prefixed {
			return r.name(value)
		}
	case "ip":
		if prefixed {
			return r.address(value)
		}
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return r.address(s)
	}
	if prefixed {
		return r, fmt.Errorf("%q will not do: give a fingerprint (sha-256:AA:BB:…, as kinesyslog cert and openssl x509 -fingerprint tell it), a host name, an IP address or cn:NAME", s)
	}
	return r.name(s)
}

func (r Rule) fingerprint(kind ruleKind, value string, size int) (Rule, error) {
	sum, err := hex.DecodeString(strings.ReplaceAll(value, ":", ""))
	if err != nil || len(sum) != size {
		return r, fmt.Errorf("%q is not a fingerprint: give %d octets in hexadecimal behind the first colon", r.text, size)
	}
	r.kind, r.want = kind, string(sum)
	return r, nil
}

func (r Rule) address(value string) (Rule, error) {
	ip, err := netip.ParseAddr(value)
	if err != nil || ip.Zone() != "" {
		return r, fmt.Errorf("%q is not an IP address: give it like ip:192.0.2.7 or ip:2001:db8::7", r.text)
	}
	r.kind, r.ip = byAddress, ip.Unmap()
	return r, nil
}

func (r Rule) name(value string) (Rule, error) {
	r.kind, r.want = byName, canonical(value)
	labels := strings.Split(strings.TrimPrefix(r.want, "*."), ".")
	for _, label := range labels {
		switch {
		case strings.Contains(label, "*"):
			return r, fmt.Errorf("%q has a wildcard that is not its whole first label: write *.example.com, or leave --permit out to let in all that --client-ca vouches for", r.text)
		case strings.ContainsFunc(label, func(c rune) bool { return c > unicode.MaxASCII }):
			return r, fmt.Errorf("%q has letters that are not ASCII: write the name as it is in certificates, with xn-- in front", r.text)
		case label == "" || len(label) > 63 || strings.ContainsFunc(label, notInNames):
			return r, fmt.Errorf("%q is not a host name: give a name, an IP address, a fingerprint (sha-256:AA:BB:…) or cn:NAME", r.text)
		}
	}
	return r, nil
}

func notInNames(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

func (r Rule) String() string { return r.text }

// ByFingerprint tells whether the rule names one certificate, and so needs no
// authority.
func (r Rule) ByFingerprint() bool { return r.kind == bySHA256 || r.kind == bySHA1 }

// Matches tells whether the rule is for this certificate. It does not look who
// signed it.
func (r Rule) Matches(c *x509.Certificate) bool {
	switch r.kind {
	case bySHA256:
		sum := sha256.Sum256(c.Raw)
		return string(sum[:]) == r.want
	case bySHA1:
		sum := sha1.Sum(c.Raw)
		return string(sum[:]) == r.want
	case byAddress:
		for _, octets := range c.IPAddresses {
			if ip, ok := netip.AddrFromSlice(octets); ok && ip.Unmap() == r.ip {
				return true
			}
		}
	case byCommonName:
		return len(c.DNSNames) == 0 && strings.ToLower(c.Subject.CommonName) == r.want
	case byName:
		for _, name := range c.DNSNames {
			if sameName(r.want, canonical(name)) {
				return true
			}
		}
	}
	return false
}

// sameName compares names of which either may have a wildcard as its first
// label, which stands for one label (RFC 5425 section 5.2).
func sameName(a, b string) bool {
	if a == b {
		return true
	}
	wildcard := func(pattern, name string) bool {
		parent, ok := strings.CutPrefix(pattern, "*.")
		_, below, dotted := strings.Cut(name, ".")
		return ok && dotted && parent == below && !strings.HasPrefix(name, ".")
	}
	return wildcard(a, b) || wildcard(b, a)
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
