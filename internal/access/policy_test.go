package access

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kinesyslog/internal/cert"
)

func mustPolicy(t *testing.T, o Options) *Policy {
	t.Helper()
	p, err := newPolicy(&o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhoGetsInUnderWhichPolicy(t *testing.T) {
	ours, theirs := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	below := newAuthority(t, "below ours", ours)
	ca := []string{putCA(t, ours)}
	good := ours.client(t, named("fw.example.com")).Leaf
	plain := ours.client(t, nil).Leaf
	through := below.client(t, named("br.example.com")).Leaf
	stranger := theirs.client(t, named("fw.example.com")).Leaf
	self := newAuthority(t, "fw9", nil).cert
	late := ours.client(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}).Leaf
	server := ours.client(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }).Leaf
	long := ours.client(t, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: strings.Repeat("x", 4000)} }).Leaf

	for _, tt := range []struct {
		name     string
		ca       []string
		permit   []string
		shown    []*x509.Certificate
		reason   Reason // "": gets in
		sentence string // a part of the error
	}{
		{name: "authority", ca: ca, shown: []*x509.Certificate{plain}},
		{name: "authority, another's client", ca: ca, shown: []*x509.Certificate{stranger}, reason: Untrusted, sentence: "name its authority with --client-ca, or permit it with --permit " + cert.Fingerprint(stranger.Raw)},
		{name: "authority, one that signed itself", ca: ca, shown: []*x509.Certificate{self}, reason: Untrusted},
		{name: "authority, through an intermediate", ca: ca, shown: []*x509.Certificate{through, below.cert}},
		{name: "authority, intermediate not shown", ca: ca, shown: []*x509.Certificate{through}, reason: Untrusted},
		{name: "intermediate as authority", ca: []string{putCA(t, below)}, shown: []*x509.Certificate{through}},
		{name: "authority, expired", ca: ca, shown: []*x509.Certificate{late}, reason: Expired, sentence: "look at the clocks of both"},
		{name: "authority, for servers only", ca: ca, shown: []*x509.Certificate{server}, reason: Untrusted, sentence: "one for client authentication"},
		{name: "authority, nothing shown", ca: ca, reason: NoCertificate, sentence: "--client-auth request"},
		{name: "two authorities", ca: []string{putCA(t, theirs, ours)}, shown: []*x509.Certificate{good}},

		{name: "fingerprint", permit: []string{cert.Fingerprint(self.Raw)}, shown: []*x509.Certificate{self}},
		{name: "fingerprint, SHA-1", permit: []string{cert.FingerprintSHA1(self.Raw)}, shown: []*x509.Certificate{self}},
		{name: "fingerprint, expired", permit: []string{cert.Fingerprint(late.Raw)}, shown: []*x509.Certificate{late}},
		{name: "fingerprint of another", permit: []string{cert.Fingerprint(good.Raw)}, shown: []*x509.Certificate{self}, reason: NotPermitted, sentence: "add --permit " + cert.Fingerprint(self.Raw)},
		{name: "fingerprint of what is only shown with it", permit: []string{cert.Fingerprint(good.Raw)}, shown: []*x509.Certificate{self, good}, reason: NotPermitted},

		{name: "name", ca: ca, permit: []string{"fw.example.com"}, shown: []*x509.Certificate{good}},
		{name: "name, borne by another's client", ca: ca, permit: []string{"fw.example.com"}, shown: []*x509.Certificate{stranger}, reason: Untrusted},
		{name: "name, not borne", ca: ca, permit: []string{"fw2.example.com"}, shown: []*x509.Certificate{good}, reason: NotPermitted, sentence: `or "fw.example.com"`},
		{name: "wildcard", ca: ca, permit: []string{"*.example.com"}, shown: []*x509.Certificate{through, below.cert}},
		{name: "common name", ca: ca, permit: []string{"cn:fw1"}, shown: []*x509.Certificate{plain}},
		{name: "common name, not borne", ca: ca, permit: []string{"cn:fw2"}, shown: []*x509.Certificate{plain}, reason: NotPermitted, sentence: `or "cn:fw1"`},
		{name: "one of several", ca: ca, permit: []string{cert.Fingerprint(self.Raw), "fw.example.com"}, shown: []*x509.Certificate{good}},
		{name: "fingerprint beside names", ca: ca, permit: []string{"fw.example.com", cert.Fingerprint(self.Raw)}, shown: []*x509.Certificate{self}},
		{name: "a subject of 4000 letters", ca: ca, permit: []string{"fw.example.com"}, shown: []*x509.Certificate{long}, reason: NotPermitted, sentence: "xxx…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPolicy(t, Options{Auth: Require, Authorities: tt.ca, Permit: rules(t, tt.permit...)})
			err := p.permit(tt.shown, time.Now())
			if tt.reason == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			refusal, ok := errors.AsType[*Refusal](err)
			if !ok || refusal.Reason != tt.reason || !strings.Contains(err.Error(), tt.sentence) {
				t.Fatalf("got %v, want %s: %s", err, tt.reason, tt.sentence)
			}
			if len(tt.shown) > 0 && (refusal.Fingerprint != cert.Fingerprint(tt.shown[0].Raw) || !strings.Contains(err.Error(), refusal.Fingerprint)) {
				t.Errorf("does not name the certificate: %v", err)
			}
			if len(err.Error()) > 1500 {
				t.Errorf("%d bytes for the log", len(err.Error()))
			}
		})
	}
}

func TestRevokedCertificatesAreRefused(t *testing.T) {
	ours, theirs := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	below := newAuthority(t, "below ours", ours)
	ca := putCA(t, ours, theirs)
	bad, good := ours.client(t, nil).Leaf, ours.client(t, nil).Leaf
	other, through := theirs.client(t, nil).Leaf, below.client(t, nil).Leaf
	fresh, stale := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	dir := t.TempDir()
	list := func(name string, data []byte) string { return put(t, filepath.Join(dir, name), data) }
	der := list("der", ours.revoke(fresh, bad, below.cert))
	both := list("both", pemOf("X509 CRL", theirs.revoke(fresh), ours.revoke(fresh, bad)))
	old := list("old", ours.revoke(stale, bad))
	renewed := list("renewed", ours.revoke(fresh))

	for _, tt := range []struct {
		name   string
		lists  []string
		permit []string
		shown  []*x509.Certificate
		want   Reason
	}{
		{"DER, revoked", []string{der}, nil, []*x509.Certificate{bad}, Revoked},
		{"DER, not revoked", []string{der}, nil, []*x509.Certificate{good}, ""},
		{"PEM with two lists, revoked", []string{both}, nil, []*x509.Certificate{bad}, Revoked},
		{"PEM with two lists, not revoked", []string{both}, nil, []*x509.Certificate{other}, ""},
		{"client of another authority", []string{der}, nil, []*x509.Certificate{other}, ""},
		{"intermediate revoked", []string{der}, nil, []*x509.Certificate{through, below.cert}, Revoked},
		{"revoked, but its fingerprint is permitted", []string{der}, []string{cert.Fingerprint(bad.Raw)}, []*x509.Certificate{bad}, Revoked},
		{"list expired", []string{old}, nil, []*x509.Certificate{good}, StaleCRL},
		{"list expired, revoked", []string{old}, nil, []*x509.Certificate{bad}, Revoked},
		{"list expired, client of another authority", []string{old}, nil, []*x509.Certificate{other}, ""},
		{"expired list beside the new one", []string{old, renewed}, nil, []*x509.Certificate{good}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := mustPolicy(t, Options{Auth: Require, Authorities: []string{ca}, Revocations: tt.lists, Permit: rules(t, tt.permit...)})
			err := p.permit(tt.shown, time.Now())
			refusal, _ := errors.AsType[*Refusal](err)
			if tt.want == "" && err != nil || tt.want != "" && (refusal == nil || refusal.Reason != tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAFileThatCannotBeUsedIsNamedWithItsReason(t *testing.T) {
	ours, theirs := newAuthority(t, "ours", nil), newAuthority(t, "theirs", nil)
	namesake := newAuthority(t, "ours", nil)
	dir := t.TempDir()
	file := func(name string, data []byte) string { return put(t, filepath.Join(dir, name), data) }
	ca := putCA(t, ours)
	text, empty := file("text", []byte("hello\n")), file("empty", nil)
	rulesFile := file("rules", []byte("# comment\n\n"+cert.Fingerprint(ours.cert.Raw)+"\n  a b\n"))
	nameFile := file("name", []byte("fw.example.com\n"))
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Authorities: []string{dir + "/none"}}, "cannot read the certificates of --client-ca: stat " + dir + "/none"},
		{Options{Authorities: []string{dir}}, "is not a file"},
		{Options{Authorities: []string{text}}, "there is no certificate in --client-ca " + text},
		{Options{Authorities: []string{file("broken", pemOf("CERTIFICATE", []byte("x")))}}, "cannot use certificate 1 of --client-ca"},
		{Options{Authorities: []string{ca}, Revocations: []string{text}}, "cannot use --crl " + text},
		{Options{Authorities: []string{ca}, Revocations: []string{empty}}, "there is no revocation list in --crl " + empty},
		{Options{Authorities: []string{ca}, Revocations: []string{ca}}, "there is no revocation list in --crl " + ca},
		{Options{Authorities: []string{ca}, Revocations: []string{file("theirs", theirs.revoke(time.Now()))}}, `no certificate of "CN=theirs", which has issued it, is in --client-ca`},
		{Options{Authorities: []string{ca}, Revocations: []string{file("forged", namesake.revoke(time.Now()))}}, "signature cannot be verified"},
		{Options{PermitFiles: []string{rulesFile}}, "--permit @" + rulesFile + `, line 4: "a b" is not a host name`},
		{Options{PermitFiles: []string{empty}}, "holds no rule"},
		{Options{PermitFiles: []string{nameFile}}, "--permit fw.example.com needs --client-ca"},
	} {
		_, err := newPolicy(&tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
