package access

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"time"
)

// RevocationList is a list of revoked certificates (RFC 5280 section 5) whose
// signature was found to be right.
type RevocationList struct {
	File string
	// Expiry is when a newer list should have come; zero if the list does not
	// say. Afterwards nobody is let in whom it could name.
	Expiry time.Time

	issuer  []byte              // subject of the authority, in DER
	serials map[string]struct{} // of revoked certificates
}

// readRevocations reads files of one or more lists each, in PEM or of one in
// DER. Every list must be signed by one of the authorities.
func readRevocations(files []string, authorities []*x509.Certificate) (out []*RevocationList, err error) {
	for _, file := range files {
		data, err := readFile("revocation list of --crl", file)
		if err != nil {
			return nil, err
		}
		before := len(out)
		for der := range listsIn(data) {
			list, err := newRevocationList(file, der, authorities)
			if err != nil {
				return nil, fmt.Errorf("cannot use --crl %s: %w", file, err)
			}
			out = append(out, list)
		}
		if len(out) == before {
			return nil, fmt.Errorf("there is no revocation list in --crl %s: give a file in PEM or DER", file)
		}
	}
	return out, nil
}

// listsIn yields the lists in a file. What is not PEM is taken as DER.
func listsIn(data []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		block, rest := pem.Decode(data)
		if block == nil {
			if len(data) > 0 {
				yield(data)
			}
			return
		}
		for ; block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "X509 CRL" && !yield(block.Bytes) {
				return
			}
		}
	}
}

// Extensions of lists that are understood, or need not be: authority key
// identifier and number of the list.
var knownInLists = []asn1.ObjectIdentifier{{2, 5, 29, 35}, {2, 5, 29, 20}}

func newRevocationList(file string, der []byte, authorities []*x509.Certificate) (*RevocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range list.Extensions {
		known := false
		for _, id := range knownInLists {
			known = known || e.Id.Equal(id)
		}
		if e.Critical && !known {
			return nil, fmt.Errorf("its critical extension %s is not supported: give the authority's complete list, neither a delta nor an indirect one", e.Id)
		}
	}
	signed := fmt.Errorf("no certificate of %q, which has issued it, is in --client-ca: add it there", list.Issuer)
	for _, a := range authorities {
		if bytes.Equal(a.RawSubject, list.RawIssuer) {
			if signed = list.CheckSignatureFrom(a); signed == nil {
				break
			}
		}
	}
	if signed != nil {
		return nil, fmt.Errorf("its signature cannot be verified: %w", signed)
	}
	r := &RevocationList{File: file, Expiry: list.NextUpdate, issuer: list.RawIssuer, serials: map[string]struct{}{}}
	for _, entry := range list.RevokedCertificateEntries {
		r.serials[string(entry.SerialNumber.Bytes())] = struct{}{}
	}
	return r, nil
}

// expired tells whether a newer list should have come.
func (r *RevocationList) expired(now time.Time) bool {
	return !r.Expiry.IsZero() && now.After(r.Expiry)
}

// covers tells whether the list is that of a certificate's issuer.
func (r *RevocationList) covers(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, r.issuer) }

func (r *RevocationList) names(c *x509.Certificate) bool {
	_, ok := r.serials[string(c.SerialNumber.Bytes())]
	return ok
}
