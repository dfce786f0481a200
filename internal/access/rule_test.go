package access

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"

	"kinesyslog/internal/cert"
)

func TestARuleMatchesTheCertificatesItNames(t *testing.T) {
	a := newAuthority(t, "ca", nil)
	subject := func(name string, edit func(*x509.Certificate)) *x509.Certificate {
		return a.client(t, func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: name}
			if edit != nil {
				edit(c)
			}
		}).Leaf
	}
	plain := subject("Edge Router 7", nil)
	one := subject("old.example.com", named("fw.example.com", "b.example.net"))
	wild := subject("", named("*.example.com"))
	address := subject("", func(c *x509.Certificate) {
		c.IPAddresses = []net.IP{net.ParseIP("192.0.2.7"), net.ParseIP("2001:db8::7")}
	})
	other := subject("other", named("fw.example.com.evil.test"))
	for _, tt := range []struct {
		rule    string
		match   []*x509.Certificate
		noMatch []*x509.Certificate
	}{
		{cert.Fingerprint(one.Raw), []*x509.Certificate{one}, []*x509.Certificate{plain, wild}},
		{strings.ToLower(cert.Fingerprint(one.Raw)), []*x509.Certificate{one}, []*x509.Certificate{plain}},
		{strings.ReplaceAll(cert.FingerprintSHA1(one.Raw), "sha-1:", "SHA1:"), []*x509.Certificate{one}, []*x509.Certificate{plain}},
		{"fw.example.com", []*x509.Certificate{one, wild}, []*x509.Certificate{plain, address, other}},
		{"FW.Example.com.", []*x509.Certificate{one, wild}, nil},
		{"dns:b.example.net", []*x509.Certificate{one}, []*x509.Certificate{wild}},
		{"*.example.com", []*x509.Certificate{one, wild}, []*x509.Certificate{plain, other, address}},
		{"example.com", nil, []*x509.Certificate{one, wild, other}},
		{"a.fw.example.com", nil, []*x509.Certificate{one, wild}},
		{"old.example.com", nil, []*x509.Certificate{one}}, // the common name is no name of a host
		{"192.0.2.7", []*x509.Certificate{address}, []*x509.Certificate{one}},
		{"ip:2001:DB8:0::7", []*x509.Certificate{address}, []*x509.Certificate{one}},
		{"2001:db8::8", nil, []*x509.Certificate{address}},
		{"::ffff:192.0.2.7", []*x509.Certificate{address}, nil},
		{"cn:edge router 7", []*x509.Certificate{plain}, []*x509.Certificate{one}},
		{"cn:old.example.com", nil, []*x509.Certificate{one}}, // it has a dNSName: RFC 6125 6.4.4
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := rules(t, tt.rule)[0]
			for _, c := range tt.match {
				if !r.Matches(c) {
					t.Errorf("no match for %s %v", c.Subject, c.DNSNames)
				}
			}
			for _, c := range tt.noMatch {
				if r.Matches(c) {
					t.Errorf("matches %s %v", c.Subject, c.DNSNames)
				}
			}
			if r.String() != tt.rule {
				t.Errorf("is told as %s", r)
			}
		})
	}
}

func TestARuleThatIsNoneSaysWhatToGive(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "is not a host name",
		"*":                      "leave --permit out",
		"*.":                     "leave --permit out",
		"a.*.com":                "wildcard that is not its whole first label",
		"fw*.example.com":        "wildcard that is not its whole first label",
		"*.*.example.com":        "wildcard that is not its whole first label",
		"münchen.example":        "xn--",
		"a b":                    "is not a host name",
		"-":                      "",
		"sha-256:AA":             "give 32 octets",
		"sha-1:" + "AA:ZZ":       "give 20 octets",
		"md5:AA":                 "give a fingerprint",
		"https://fw.example.com": "give a fingerprint",
		"ip:fw":                  "is not an IP address",
		"ip:fe80::1%eth0":        "is not an IP address",
		"cn:":                    "names no common name",
		"cn:a\nb":                "names no common name",
		"dns:":                   "is not a host name",
		strings.Repeat("a", 64):  "is not a host name",
	} {
		_, err := ParseRule(text)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// A host may be called like a prefix.
func TestAPrefixWithoutAColonIsAHost(t *testing.T) {
	for _, host := range []string{"cn", "dns", "ip"} {
		if r := rules(t, host)[0]; r.kind != byName || r.want != host {
			t.Errorf("%s became %+v", host, r)
		}
	}
}

func FuzzRules(f *testing.F) {
	for _, text := range []string{"sha-1:AA", "*.example.com", "::1", "cn:a", "dns:a.", "ip:"} {
		f.Add(text, "a.example.com")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		c := &x509.Certificate{DNSNames: []string{name}, Subject: pkix.Name{CommonName: name}}
		if r.kind == byName && !strings.Contains(text, "*") && r.Matches(c) && c.VerifyHostname(r.want) != nil && strings.Contains(name, "*") {
			t.Errorf("%q matches %q, which the standard library denies", text, name)
		}
	})
}
