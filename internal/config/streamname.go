package config

import (
	"errors"
	"fmt"

	"kinesyslog/internal/access"
)

// Naming says what log streams are named after.
type Naming int

const (
	// ByAddress: the sender's address.
	ByAddress Naming = iota
	// ByHost: the host in the message's header, or else the address.
	ByHost
	// ByCertificate: the name in the certificate of a client over TLS, or else
	// the address.
	ByCertificate
)

func naming(to *Naming) func([]string) error {
	return one(func(v string) error {
		n, ok := map[string]Naming{"address": ByAddress, "hostname": ByHost, "certificate": ByCertificate}[v]
		if !ok {
			return fmt.Errorf("%q will not do: give address, hostname or certificate", v)
		}
		*to = n
		return nil
	})
}

// checkNaming finds names that nobody can have.
func (c *Listen) checkNaming() error {
	if c.StreamName == ByCertificate && (len(c.TLSPorts)+len(c.RELPTLSPorts) == 0 || c.ClientAuth == access.None) {
		return errors.New("--stream-name certificate: no client shows a certificate; give a TLS listener with --client-ca or --permit, or name log streams after address or hostname")
	}
	return nil
}
