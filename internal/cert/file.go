package cert

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The files of LoadOrCreate.
const (
	SelfSignedCert = "self-signed.crt"
	SelfSignedKey  = "self-signed.key"
)

// ErrExists says that Write would have replaced a file.
var ErrExists = errors.New("is there already")

// Write puts the pair into two files: the key readable by its owner only, the
// certificate by everybody. Files that are there already are replaced only if
// force is set; otherwise the error is ErrExists and nothing was written. Each
// file appears whole or not at all; the key comes first.
func (p *Pair) Write(certFile, keyFile string, force bool) error {
	if filepath.Clean(certFile) == filepath.Clean(keyFile) {
		return fmt.Errorf("certificate and key are both to be written to %s: give two files", certFile)
	}
	if !force {
		for _, name := range []string{certFile, keyFile} {
			if _, err := os.Lstat(name); err == nil {
				return fmt.Errorf("%s %w", name, ErrExists)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := replace(keyFile, p.KeyPEM, 0o600); err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	if err := replace(certFile, p.CertPEM, 0o644); err != nil {
		return fmt.Errorf("writing the certificate: %w", err)
	}
	return nil
}

// replace writes a file aside and renames it, so that a key is never in a file
// that others may read, and never half there.
func replace(name string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Load reads a certificate with its chain and its key. Leaf is set. An expired
// certificate is not an error: see Expired.
func Load(certFile, keyFile string) (tls.Certificate, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot read the TLS certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot read the TLS key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot use the TLS certificate %s with the key %s: %w: give a PEM certificate and its unencrypted PEM key",
			certFile, keyFile, err)
	}
	return pair, nil
}

// Expired tells whether a loaded certificate is past its end.
func Expired(c tls.Certificate, now time.Time) bool { return now.After(c.Leaf.NotAfter) }

// LoadOrCreate returns the self-signed pair kept in a directory, and makes one
// if there is none, if it has expired, or if only one of its two files is
// there. A pair that is there and cannot be used is an error: somebody may
// have put it there.
func LoadOrCreate(dir string) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, SelfSignedCert), filepath.Join(dir, SelfSignedKey)
	pair, err := Load(certFile, keyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return tls.Certificate{}, fmt.Errorf("%w; or remove both, and a new pair will be made", err)
	case !Expired(pair, time.Now()):
		return pair, nil
	}
	made, err := Generate(Request{})
	if err != nil {
		return tls.Certificate{}, err
	}
	// Whatever a crash leaves from here on is incomplete, and is mended next time.
	if err := os.Remove(certFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, err
	}
	if err := made.Write(certFile, keyFile, true); err != nil {
		return tls.Certificate{}, err
	}
	return Load(certFile, keyFile)
}
