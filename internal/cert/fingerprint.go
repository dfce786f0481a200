package cert

import (
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Fingerprint returns the SHA-256 fingerprint of a certificate in DER, as RFC
// 5425 section 4.2.2 writes it: "sha-256:AA:BB:…".
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return format("sha-256", sum[:])
}

// FingerprintSHA1 returns the same with SHA-1, the one algorithm that RFC 5425
// demands of everybody. Old devices know no other.
func FingerprintSHA1(der []byte) string {
	sum := sha1.Sum(der)
	return format("sha-1", sum[:])
}

func format(algorithm string, sum []byte) string {
	var b strings.Builder
	b.WriteString(algorithm)
	for _, octet := range sum {
		fmt.Fprintf(&b, ":%02X", octet)
	}
	return b.String()
}
