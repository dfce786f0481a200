package access

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
)

func TestACertificateBearsItsOwnHostNamesOnly(t *testing.T) {
	full := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "common.example.com"},
		DNSNames:    []string{"FW1.Example.com", "*.branch.example.com", "192.0.2.99", "bare."},
		IPAddresses: []net.IP{net.ParseIP("192.0.2.7"), net.ParseIP("2001:db8::7")},
	}
	named := &x509.Certificate{Subject: pkix.Name{CommonName: "Old.example.com"}}
	numbered := &x509.Certificate{Subject: pkix.Name{CommonName: "192.0.2.8"}}
	for _, tt := range []struct {
		of    *x509.Certificate
		yes   string
		no    string
		title string
	}{
		{
			title: "dNSName", of: full,
			yes: "fw1.example.com FW1.EXAMPLE.COM fw1.example.com. bare BARE.",
			no:  "fw2.example.com fw1.example.org example.com .example.com fw1.example.com.. xfw1.example.com fw1.example.comx fw1.",
		},
		{title: "its first label", of: full, yes: "fw1 Fw1", no: "fw fw11 w1 example com branch * _"},
		{
			title: "left-most wildcard", of: full,
			yes: "a.branch.example.com A-1.Branch.example.com",
			no:  "branch.example.com a.b.branch.example.com .branch.example.com *.branch.example.com a",
		},
		{
			title: "iPAddress", of: full,
			yes: "192.0.2.7 ::ffff:192.0.2.7 2001:db8::7 2001:DB8:0:0:0:0:0:7",
			no:  "192.0.2.8 192.0.2.99 2001:db8::8 2001:db8::7%eth0 192.0.2 192.0.2.07 7",
		},
		{title: "no common name beside others", of: full, no: "common.example.com common"},
		{title: "common name", of: named, yes: "old.example.com OLD", no: "old.example.org example.com"},
		{title: "address as common name", of: numbered, yes: "192.0.2.8 ::ffff:192.0.2.8", no: "192.0.2.7 192"},
		{title: "no name at all", of: &x509.Certificate{}, no: "a a.example.com 192.0.2.7 - ."},
	} {
		t.Run(tt.title, func(t *testing.T) {
			i := NewIdentity(tt.of)
			for _, host := range strings.Fields(tt.yes) {
				if !i.Bears([]byte(host)) {
					t.Errorf("%s is not borne", host)
				}
			}
			for _, host := range strings.Fields(tt.no) {
				if i.Bears([]byte(host)) {
					t.Errorf("%s is borne", host)
				}
			}
		})
	}
	if (*Identity)(nil).Bears([]byte("fw1")) {
		t.Error("a client without a certificate bears a name")
	}
	if i := NewIdentity(&x509.Certificate{DNSNames: []string{strings.Repeat("a", 300)}}); i.Bears([]byte(strings.Repeat("a", 300))) {
		t.Error("a name is borne that is longer than any host's")
	}
}

func TestHostNamesAreComparedWithoutAnAllocation(t *testing.T) {
	i := NewIdentity(&x509.Certificate{DNSNames: []string{"a.example.com", "*.branch.example.com", "fw1.example.com"}})
	for _, host := range []string{"fw1", "FW1.example.com", "x.branch.example.com", "stranger"} {
		host := []byte(host)
		if n := testing.AllocsPerRun(100, func() { i.Bears(host) }); n != 0 {
			t.Errorf("%s: %v allocations", host, n)
		}
	}
}

func TestBindingsAreReadByTheirNames(t *testing.T) {
	for _, b := range []Binding{Unbound, NoteHostname, RefuseHostname} {
		if got, err := ParseBinding(b.String()); got != b || err != nil {
			t.Errorf("%s is read as %s, error %v", b, got, err)
		}
	}
	if _, err := ParseBinding("strict"); err == nil {
		t.Error("strict is read as a binding")
	}
}

func FuzzBorneHostNames(f *testing.F) {
	f.Add("*.example.com", []byte("a.example.com"))
	f.Add("fw1.example.com", []byte("fw1"))
	f.Add("192.0.2.7", []byte("::ffff:192.0.2.7"))
	f.Fuzz(func(t *testing.T, name string, host []byte) {
		bears := NewIdentity(&x509.Certificate{DNSNames: []string{name}}).Bears(host)
		if !bears {
			return
		}
		// Whatever is borne is the name, begins it, or ends like it.
		lower := strings.ToLower(strings.TrimSuffix(string(host), "."))
		full := strings.ToLower(strings.TrimSuffix(name, "."))
		parent, wildcard := strings.CutPrefix(full, "*")
		if lower != full && !strings.HasPrefix(full, lower+".") && !(wildcard && strings.HasSuffix(lower, parent)) {
			t.Errorf("%q bears %q", name, host)
		}
	})
}
