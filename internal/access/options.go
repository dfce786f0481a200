package access

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// KeyPair names the files of a certificate and its key, in PEM.
type KeyPair struct{ Cert, Key string }

// Options say which files a Store reads, and what is asked of clients. Pairs
// and Logger are required by Open.
type Options struct {
	// Pairs are our own certificates. Clients that name a host are shown the
	// first that is for it, others the first of all.
	Pairs []KeyPair
	// MinVersion is tls.VersionTLS12, also if 0, or tls.VersionTLS13.
	MinVersion uint16

	Auth Auth
	// Authorities are files with the certificates of those who vouch for
	// clients, and Revocations with the certificates that they revoked.
	Authorities, Revocations []string
	// Permit and PermitFiles, a rule a line, are who may speak. If both are
	// empty all may for whom an authority vouches.
	Permit      []Rule
	PermitFiles []string

	Logger *slog.Logger
	// Reread is told of every time that the files were read again, and why what
	// they hold is not used; nil: nobody is. It must not call the Store's Reload.
	Reread func(err error)
}

// files returns all that is read.
func (o Options) files() (out []string) {
	for _, p := range o.Pairs {
		out = append(out, p.Cert, p.Key)
	}
	return slices.Concat(out, o.Authorities, o.Revocations, o.PermitFiles)
}

// Check finds what contradicts itself. It looks at no file.
func (o Options) Check() error {
	policies := len(o.Authorities) + len(o.Permit) + len(o.PermitFiles)
	switch {
	case o.Auth == None && policies+len(o.Revocations) > 0:
		return errors.New("--client-ca, --permit and --crl have no meaning with --client-auth none: leave one of them out")
	case o.Auth != None && policies == 0:
		return errors.New("--client-auth asks for certificates, but nothing says which are good: give --client-ca, or --permit with their fingerprints")
	case len(o.Revocations) > 0 && len(o.Authorities) == 0:
		return errors.New("--crl needs --client-ca: the list must be signed by an authority that is known")
	}
	return needAuthority(o.Permit, o.Authorities)
}

// needAuthority finds rules that could never let anybody in.
func needAuthority(rules []Rule, authorities []string) error {
	for _, r := range rules {
		if len(authorities) == 0 && !r.ByFingerprint() {
			return fmt.Errorf("--permit %s needs --client-ca: a name says nothing unless an authority vouches for it; give the authority's certificate, or permit the client's by its fingerprint", r)
		}
	}
	return nil
}
