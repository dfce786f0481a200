package access

import (
	"crypto/tls"
	"fmt"
)

// suites are what TLS 1.2 may use: RFC 9662 demands ECDHE with
// AES-128-GCM; the others are of the same strength at least (RFC 9325). Those
// with TLS_RSA, which RFC 5425 demanded, would let a stolen key read what was
// recorded before. Suites of TLS 1.3 are not configurable, and all good.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// ParseVersion reads "1.2" or "1.3". Older versions must not be used (RFC 8996).
func ParseVersion(s string) (uint16, error) {
	switch s {
	case "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("%q will not do: give 1.2 or 1.3", s)
}
