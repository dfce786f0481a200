package config

import (
	"fmt"
	"strings"

	"kinesyslog/internal/access"
)

func binding(to *access.Binding) func([]string) error {
	return one(func(v string) (err error) {
		*to, err = access.ParseBinding(v)
		return err
	})
}

// checkBinding finds host names that nothing could be compared with, and warns
// of those that nothing is.
func (c *Listen) checkBinding() error {
	if c.BindHostname == access.Unbound {
		return nil
	}
	if len(c.TLSPorts)+len(c.RELPTLSPorts)+len(c.DTLSPorts) == 0 || c.ClientAuth == access.None {
		return fmt.Errorf("--bind-hostname %s: no client shows a certificate to compare host names with; give a TLS listener with --client-ca or --permit, or leave it out", c.BindHostname)
	}
	if c.ClientAuth == access.Request {
		what := map[access.Binding]string{access.NoteHostname: "noted", access.RefuseHostname: "refused"}[c.BindHostname]
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"--bind-hostname %s with --client-auth request: clients that show no certificate bear no host name, so whatever names one of them is %s", c.BindHostname, what))
	}
	var open []string
	for _, l := range []struct {
		name  string
		ports []int
	}{{"udp", c.UDPPorts}, {"tcp", c.TCPPorts}, {"relp", c.RELPPorts}} {
		for _, port := range l.ports {
			open = append(open, fmt.Sprintf("%s/%d", l.name, port))
		}
	}
	if len(open) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"--bind-hostname %s has no effect on %s, where there are no certificates: whoever may send there can claim any host name", c.BindHostname, strings.Join(open, ", ")))
	}
	return nil
}
