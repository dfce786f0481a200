// Package access decides who may speak over TLS. It holds what RFC 5425 asks
// for: validation of certificate paths, and the policies of its section 5 that
// authorise a sender by fingerprint, by name or by address.
//
// A Policy is one reading of the files, and does not change. A Store reads the
// files again when they change, and hands out a configuration for TLS that is
// always the newest. Connections that are open stay open whatever is read: a
// policy is asked in handshakes, and also when a session is resumed.
package access

import "fmt"

// Auth says what is asked of clients.
type Auth int

const (
	// None asks for no certificate.
	None Auth = iota
	// Request asks for one. Who shows none may speak; who shows one must be
	// permitted.
	Request
	// Require lets nobody speak without a certificate that is permitted.
	Require
)

var authNames = [...]string{"none", "request", "require"}

// ParseAuth reads "none", "request" or "require".
func ParseAuth(s string) (Auth, error) {
	for i, name := range authNames {
		if s == name {
			return Auth(i), nil
		}
	}
	return None, fmt.Errorf("%q will not do: give none, request or require", s)
}

func (a Auth) String() string { return authNames[a] }
