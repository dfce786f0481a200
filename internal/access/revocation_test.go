package access

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"
)

// A delta list, taken for a complete one, would let in what the complete one
// revokes.
func TestAListThatIsNotCompleteIsNotTaken(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(2), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}},
	}, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newRevocationList("file", der, []*x509.Certificate{a.cert})
	if err == nil || !strings.Contains(err.Error(), "critical extension 2.5.29.27") {
		t.Errorf("got %v", err)
	}
}

func FuzzRevocationLists(f *testing.F) {
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		for der := range listsIn(data) {
			if r, err := newRevocationList("file", der, nil); err == nil {
				t.Errorf("a list that nobody signed was taken: %+v", r)
			}
		}
	})
}
