package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// decide fills in what depends on other options and checks them against each
// other. All values are valid by themselves when it is called.
func (c *Listen) decide(given settings, in Input) []error {
	var errs []error
	add := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	add(c.decideStream(given))
	add(c.decideTLS(given))
	add(c.decideAccess(given))
	if len(errs) == 0 {
		add(c.checkListeners())
	}
	if len(errs) == 0 {
		add(c.checkProxy())
		add(c.checkAllow(given))
		add(c.checkNaming())
		add(c.checkBinding())
	}
	if c.FlushIntervalMax < c.FlushInterval {
		add(fmt.Errorf("--flush-interval-max %s is less than --flush-interval %s: give more, or leave it out", c.FlushIntervalMax, c.FlushInterval))
	}
	if c.MaxConnections > 0 && c.MaxConnectionsPerAddress > c.MaxConnections {
		add(fmt.Errorf("--max-connections-per-address %d is more than --max-connections %d: give less", c.MaxConnectionsPerAddress, c.MaxConnections))
	}
	c.decideSpoolDir(in)
	add(c.checkLocal(given))
	return errs
}

func (c *Listen) decideStream(given settings) error {
	if c.Local != "" {
		if c.Stream == "" {
			c.Stream = "kinesyslog"
		}
		if !given.has("flush-interval") {
			c.FlushInterval = localFlush
		}
	}
	if c.FlushIntervalMax == 0 {
		c.FlushIntervalMax = c.FlushInterval
	}
	if c.Stream == "" {
		return errors.New("no delivery stream is named: give --stream NAME, or --local DIRECTORY to try without AWS")
	}
	return nil
}

func (c *Listen) checkListeners() error {
	taken := map[int]string{} // of those that are TCP to the kernel
	for _, l := range []struct {
		what  string
		ports []int
	}{{"TLS", c.TLSPorts}, {"TCP", c.TCPPorts}, {"RELP", c.RELPPorts}, {"RELP over TLS", c.RELPTLSPorts}} {
		for _, p := range l.ports {
			if other, twice := taken[p]; twice {
				return fmt.Errorf("port %d is given for %s and for %s: give one of them another port", p, other, l.what)
			}
			taken[p] = l.what
		}
	}
	for _, p := range c.DTLSPorts {
		if slices.Contains(c.UDPPorts, p) {
			return fmt.Errorf("port %d is given for UDP and for DTLS: give one of them another port", p)
		}
	}
	if len(taken)+len(c.UDPPorts)+len(c.DTLSPorts)+len(c.UnixSockets) == 0 {
		return errors.New("nothing to listen on: give --tcp-port, --udp-port, --relp-port, --dtls-port, --unix or --port")
	}
	loopback := slices.Contains([]string{"0.0.0.0", "::", "127.0.0.1", "localhost"}, c.Address)
	if p := c.PrometheusPort; p != 0 && loopback && taken[p] != "" {
		return fmt.Errorf("port %d is given for --prometheus-port and for syslog: give one of them another port", p)
	}
	return nil
}

// checkProxy finds ports on which nobody listens, and warns of those where
// anybody is believed.
func (c *Listen) checkProxy() error {
	listening := slices.Concat(c.TLSPorts, c.TCPPorts, c.UDPPorts, c.RELPPorts, c.RELPTLSPorts)
	for _, p := range c.ProxyPorts {
		if !slices.Contains(listening, p) {
			return fmt.Errorf("--proxy-protocol %d: nothing listens on that port; give a port of --tcp-port, --port, --udp-port, --relp-port or --relp-tls-port", p)
		}
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"on port %d the PROXY protocol header of anybody is believed: whoever reaches it can name any sender; give --proxy-trust NETWORK with the balancer's addresses in place of --proxy-protocol %d", p, p))
	}
	return nil
}

func (c *Listen) checkLocal(given settings) error {
	if c.Local == "" {
		return nil
	}
	for _, name := range []string{"endpoint-url", "role-arn", "profile"} {
		if given.has(name) {
			return fmt.Errorf("%s has no meaning with --local, which needs no AWS: leave one of them out", given[name].origin)
		}
	}
	local, err := filepath.Abs(c.Local)
	if err != nil {
		return fmt.Errorf("--local %s: %w", c.Local, err)
	}
	spool, err := filepath.Abs(c.SpoolDir)
	if err != nil {
		return fmt.Errorf("--spool-dir %s: %w", c.SpoolDir, err)
	}
	if inside(spool, local) || inside(local, spool) {
		return fmt.Errorf("--spool-dir %s and --local %s are inside each other: give two directories", c.SpoolDir, c.Local)
	}
	return nil
}

// inside tells whether a path is a directory or in it; both are absolute.
func inside(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
