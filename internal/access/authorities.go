package access

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// maxFileBytes bounds each file: more than this is another file that was named
// by mistake. The longest lists of revoked certificates have some 10 MB.
const maxFileBytes = 64 << 20

// readFile reads a file that may be replaced at any time.
func readFile(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxFileBytes) {
		err = fmt.Errorf("%s is not a file of at most %d bytes", path, maxFileBytes)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the %s: %w", what, err)
	}
	return data, nil
}

// readAuthorities reads the certificates of those who vouch for clients. Each
// file holds one or more, in PEM.
func readAuthorities(files []string) (out []*x509.Certificate, err error) {
	for _, file := range files {
		data, err := readFile("certificates of --client-ca", file)
		if err != nil {
			return nil, err
		}
		before := len(out)
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "CERTIFICATE" {
				continue // people keep keys and text in the same file
			}
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("cannot use certificate %d of --client-ca %s: %w", len(out)-before+1, file, err)
			}
			out = append(out, c)
		}
		if len(out) == before {
			return nil, fmt.Errorf("there is no certificate in --client-ca %s: give a PEM file with those of the authorities that vouch for clients", file)
		}
	}
	return out, nil
}

func poolOf(authorities []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range authorities {
		pool.AddCert(c)
	}
	return pool
}
