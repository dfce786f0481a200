package config

import (
	"errors"
	"fmt"
	"strings"

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
	// ByNetwork: the network of the sender's address, for all senders in it; see
	// Listen.SharedStream.
	ByNetwork
	// ByListener: the listener, for all of its senders.
	ByListener
	// ByEndpoint: the AWS VPC endpoint that a balancer of ProxyTrust tells of,
	// and the address; only the address where it tells of none.
	ByEndpoint
)

func (c *Listen) naming(values []string) error {
	v := values[len(values)-1]
	if v == "network" || strings.HasPrefix(v, "network/") {
		c.StreamName = ByNetwork
		return networkBits(v, &c.StreamNetworkBits)
	}
	n, ok := map[string]Naming{"address": ByAddress, "hostname": ByHost, "certificate": ByCertificate, "listener": ByListener, "endpoint": ByEndpoint}[v]
	if !ok {
		return fmt.Errorf("%q will not do: give address, hostname, certificate, endpoint, network or listener", v)
	}
	c.StreamName = n
	return nil
}

// checkNaming finds names that nobody can have, and those behind which senders
// would disappear.
func (c *Listen) checkNaming() error {
	if !c.AddHeader && c.SharedStream() != nil {
		return errors.New("--stream-name listener and network with --add-header=false: nothing would tell who sent a message without a header; leave one of them out")
	}
	if c.StreamName == ByCertificate && (len(c.TLSPorts)+len(c.RELPTLSPorts)+len(c.DTLSPorts) == 0 || c.ClientAuth == access.None) {
		return errors.New("--stream-name certificate: no client shows a certificate; give a TLS listener with --client-ca or --permit, or name log streams after address or hostname")
	}
	if c.StreamName == ByEndpoint && len(c.ProxyTrust) == 0 {
		return errors.New("--stream-name endpoint: VPC endpoints are told of in PROXY protocol headers, and believed only of --proxy-trust; give it the balancer's networks, or name log streams after address or hostname")
	}
	return nil
}
