package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"kinesyslog/internal/access"
)

// files takes paths in the order given.
func files(to *[]string) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			var file string
			if err := text(&file)([]string{v}); err != nil {
				return err
			}
			if file == "" {
				return fmt.Errorf("%q is not a file's name: give the path of a file", v)
			}
			*to = append(*to, file)
		}
		return nil
	}
}

func tlsVersion(to *uint16) func([]string) error {
	return one(func(v string) (err error) {
		*to, err = access.ParseVersion(v)
		return err
	})
}

func clientAuth(to *access.Auth) func([]string) error {
	return one(func(v string) (err error) {
		*to, err = access.ParseAuth(v)
		return err
	})
}

// permit tells rules from the files that hold some.
func (c *Listen) permit(values []string) error {
	c.Permit, c.PermitFiles = nil, nil
	for _, v := range values {
		if file, ok := strings.CutPrefix(v, "@"); ok {
			if err := files(new([]string))([]string{file}); err != nil {
				return err
			}
			c.PermitFiles = append(c.PermitFiles, file)
			continue
		}
		rule, err := access.ParseRule(v)
		if err != nil {
			return err
		}
		c.Permit = append(c.Permit, rule)
	}
	return nil
}

// decideTLS finds out whether there are certificates, and what it means if
// there are none.
func (c *Listen) decideTLS(given settings) error {
	if len(c.TLSPorts)+len(c.RELPTLSPorts)+len(c.DTLSPorts) == 0 {
		return nil
	}
	if len(c.certs) != len(c.keys) {
		return fmt.Errorf("%d times --cert and %d times --key: give one key for each certificate, in the same order", len(c.certs), len(c.keys))
	}
	asked := slices.Concat(c.RELPTLSPorts, c.DTLSPorts)
	if given.has("port") {
		asked = slices.Concat(c.TLSPorts, asked)
	}
	var pairs []access.KeyPair
	var missing error
	var cert, key string // that are missing
	for i := range c.certs {
		pair := access.KeyPair{Cert: c.certs[i], Key: c.keys[i]}
		if missing = checkPair(pair); missing != nil {
			cert, key = pair.Cert, pair.Key
			break
		}
		pairs = append(pairs, pair)
	}
	switch {
	case missing == nil:
		c.KeyPairs = pairs
		return nil
	case given.has("cert", "key"):
		return fmt.Errorf("%w: make a pair with kinesyslog cert --cert %s --key %s, or switch TLS off with --port 0 and without --relp-tls-port and --dtls-port", missing, cert, key)
	case !errors.Is(missing, os.ErrNotExist):
		return fmt.Errorf("%w: mend it, or name another pair with --cert and --key", missing)
	case c.Local != "":
		c.SelfSigned = true
		return nil
	case len(asked) > 0:
		return fmt.Errorf("TLS is asked for on port %d, but there is no certificate %s with key %s: make them with kinesyslog cert, or name others with --cert and --key",
			asked[0], cert, key)
	case len(c.TCPPorts)+len(c.UDPPorts)+len(c.RELPPorts)+len(c.UnixSockets) > 0:
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"no TLS listener: there is no certificate %s with key %s; make them with kinesyslog cert, or give --port 0 to silence this", cert, key))
		c.TLSPorts = nil
		return nil
	}
	return fmt.Errorf("nothing to listen on: TLS has no certificate %s with key %s; make them with kinesyslog cert, or give --tcp-port, --udp-port or --relp-port", cert, key)
}

// checkPair tells whether both files can be read.
func checkPair(pair access.KeyPair) error {
	for _, f := range []struct{ what, path string }{{"certificate", pair.Cert}, {"key", pair.Key}} {
		file, err := os.Open(f.path)
		if err != nil {
			return fmt.Errorf("cannot read the TLS %s: %w", f.what, err)
		}
		info, err := file.Stat()
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("cannot read the TLS %s: %w", f.what, err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("cannot read the TLS %s: %s is not a file", f.what, f.path)
		}
	}
	return nil
}

// decideAccess fills in what is asked of clients, and finds what contradicts
// itself.
func (c *Listen) decideAccess(given settings) error {
	if len(c.TLSPorts)+len(c.RELPTLSPorts)+len(c.DTLSPorts) == 0 {
		for _, name := range []string{"client-ca", "client-auth", "permit", "crl"} {
			if given.has(name) && (name != "client-auth" || c.ClientAuth != access.None) {
				return fmt.Errorf("%s has no meaning without a TLS listener: give --port, --relp-tls-port or --dtls-port and a certificate, or leave it out", given[name].origin)
			}
		}
		return nil
	}
	if !given.has("client-auth") && given.has("client-ca", "permit") {
		c.ClientAuth = access.Require
	}
	if len(c.DTLSPorts) > 0 && c.TLSMin > tls.VersionTLS12 {
		return fmt.Errorf("--tls-min 1.3 and --dtls-port %d: DTLS is spoken in version 1.2 only; leave one of them out", c.DTLSPorts[0])
	}
	return c.Access().Check()
}

// Access returns what the TLS listeners' Store needs to know, but its Logger
// and, with SelfSigned, its Pairs.
func (c *Listen) Access() access.Options {
	return access.Options{
		Pairs: c.KeyPairs, MinVersion: c.TLSMin,
		Auth: c.ClientAuth, Authorities: c.ClientCAs, Revocations: c.CRLs, Permit: c.Permit, PermitFiles: c.PermitFiles,
	}
}
