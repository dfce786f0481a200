package access

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policy is who may speak, as the files had it when they were read. It may be
// used from many goroutines.
type Policy struct {
	auth        Auth
	restricted  bool // only those may speak that a rule is for
	rules       []Rule
	authorities []*x509.Certificate
	roots       *x509.CertPool // nil without authorities
	lists       []*RevocationList
}

// newPolicy reads the files that the options name.
func newPolicy(o *Options) (p *Policy, err error) {
	p = &Policy{auth: o.Auth, rules: slices.Clone(o.Permit), restricted: len(o.Permit)+len(o.PermitFiles) > 0}
	for _, file := range o.PermitFiles {
		rules, err := readRules(file)
		if err != nil {
			return nil, err
		}
		p.rules = append(p.rules, rules...)
	}
	if p.authorities, err = readAuthorities(o.Authorities); err != nil {
		return nil, err
	}
	if len(p.authorities) > 0 {
		p.roots = poolOf(p.authorities)
	}
	if p.lists, err = readRevocations(o.Revocations, p.authorities); err != nil {
		return nil, err
	}
	return p, needAuthority(p.rules, o.Authorities)
}

// configure puts into a configuration what asks clients for certificates.
func (p *Policy) configure(config *tls.Config) {
	switch p.auth {
	case None:
		return
	case Request:
		config.ClientAuth = tls.RequestClientCert
	case Require:
		config.ClientAuth = tls.RequireAnyClientCert
	}
	if !slices.ContainsFunc(p.rules, Rule.ByFingerprint) {
		// Clients that are told the authorities show no other certificates. So
		// they are not told where one may be permitted by its fingerprint.
		config.ClientCAs = p.roots
	}
	// Unlike VerifyPeerCertificate this is called when a session is resumed, too.
	config.VerifyConnection = func(state tls.ConnectionState) error {
		return p.admit(state.PeerCertificates, time.Now())
	}
}

// admit is permit as far as clients are asked for certificates.
func (p *Policy) admit(certificates []*x509.Certificate, now time.Time) error {
	if p.auth == None || p.auth == Request && len(certificates) == 0 {
		return nil
	}
	return p.permit(certificates, now)
}

// permit returns nil if the client with these certificates, its own first, may
// speak at this time, or else a Refusal.
func (p *Policy) permit(certificates []*x509.Certificate, now time.Time) error {
	if len(certificates) == 0 {
		return &Refusal{Reason: NoCertificate, Err: errNoCertificate}
	}
	leaf := certificates[0]
	for _, r := range p.rules {
		if r.ByFingerprint() && r.Matches(leaf) {
			// RFC 5425 section 5.1: who vouches for it does not matter.
			return p.notRevoked(leaf, [][]*x509.Certificate{{leaf, nil}}, now)
		}
	}
	chains, err := p.chains(certificates, now)
	if err != nil {
		return err
	}
	if err := p.notRevoked(leaf, chains, now); err != nil {
		return err
	}
	if !p.restricted || slices.ContainsFunc(p.rules, func(r Rule) bool { return r.Matches(leaf) }) {
		return nil
	}
	refusal := newRefusal(leaf, NotPermitted, nil)
	refusal.Err = fmt.Errorf("no --permit is for it: add --permit %s%s", refusal.Fingerprint, orNames(refusal.Names))
	return refusal
}

func orNames(names []string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, " or %q", name)
	}
	return b.String()
}

// chains finds the paths from a client's certificate to an authority.
func (p *Policy) chains(certificates []*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	leaf := certificates[0]
	if p.roots == nil {
		r := newRefusal(leaf, NotPermitted, nil)
		r.Err = fmt.Errorf("its fingerprint is not permitted, and there is no --client-ca: add --permit %s", r.Fingerprint)
		return nil, r
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: p.roots, Intermediates: poolOf(certificates[1:]), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err == nil {
		return chains, nil
	}
	reason, hint := Untrusted, "name its authority with --client-ca, or permit it"
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		switch invalid.Reason {
		case x509.Expired:
			reason, hint = Expired, "give the client a new one, look at the clocks of both, or permit it whatever its dates"
		case x509.IncompatibleUsage:
			hint = "give the client one for client authentication, or permit it"
		}
	}
	r := newRefusal(leaf, reason, nil)
	r.Err = fmt.Errorf("%w: %s with --permit %s", err, hint, r.Fingerprint)
	return nil, r
}

// notRevoked returns nil if none of the certificates on one of the paths is
// revoked. The last of a path is trusted as it is, and not looked up.
func (p *Policy) notRevoked(leaf *x509.Certificate, chains [][]*x509.Certificate, now time.Time) (err error) {
	for _, chain := range chains {
		if err = p.pathNotRevoked(leaf, chain[:len(chain)-1], now); err == nil {
			return nil
		}
	}
	return err
}

func (p *Policy) pathNotRevoked(leaf *x509.Certificate, path []*x509.Certificate, now time.Time) error {
	for _, c := range path {
		for _, list := range p.lists {
			switch {
			case !list.covers(c):
			case list.names(c):
				return newRefusal(leaf, Revoked, fmt.Errorf("%s revokes number %x of %q: give the client a new one", list.File, c.SerialNumber, shorten(c.Issuer.String())))
			case list.expired(now) && !p.renewed(list, now):
				return newRefusal(leaf, StaleCRL, fmt.Errorf("%s, which tells whether it is revoked, has expired on %s: put the authority's new list in its place",
					list.File, list.Expiry.UTC().Format(time.DateTime)))
			}
		}
	}
	return nil
}

// renewed tells whether there is a list of the same issuer that has not
// expired.
func (p *Policy) renewed(old *RevocationList, now time.Time) bool {
	return slices.ContainsFunc(p.lists, func(l *RevocationList) bool {
		return string(l.issuer) == string(old.issuer) && !l.expired(now)
	})
}
