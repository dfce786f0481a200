package config

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"kinesyslog/internal/access"
)

// Allowed are the networks that may send to a listener.
type Allowed struct {
	// Listener is its name, as in metrics: "udp/514". It is empty for the
	// networks of all listeners that have none of their own.
	Listener string
	Networks []netip.Prefix // IPv4 is not mapped into IPv6
	Files    []string       // that hold more, see Read
}

// AllowedTo returns who may send to a listener: those that --allow names for
// it, or else those that it names for all. Those of a listener take the place
// of the others, so that what is forgotten keeps somebody out, and lets nobody
// in. nil is everybody.
func (c *Listen) AllowedTo(listener string) *Allowed {
	for _, name := range []string{listener, ""} {
		if i := slices.IndexFunc(c.Allow, func(a Allowed) bool { return a.Listener == name }); i >= 0 {
			return &c.Allow[i]
		}
	}
	return nil
}

// NetworkListeners are the names of all listeners but those on Unix sockets, as
// in metrics: "udp/514".
func (c *Listen) NetworkListeners() (names []string) {
	for _, l := range []struct {
		kind  string
		ports []int
	}{
		{"udp", c.UDPPorts},
		{"tcp", c.TCPPorts},
		{"relp", c.RELPPorts},
		{"tls", c.TLSPorts},
		{"relps", c.RELPTLSPorts},
		{"dtls", c.DTLSPorts},
	} {
		for _, port := range l.ports {
			names = append(names, l.kind+"/"+strconv.Itoa(port))
		}
	}
	return names
}

// allow takes networks and, behind @, files that hold some; both may have a
// listener's name in front, as in udp/514=192.0.2.0/24.
func (c *Listen) allow(values []string) error {
	c.Allow = nil
	for _, v := range values {
		listener, network := "", v
		if name, rest, ok := strings.Cut(v, "="); ok && !strings.HasPrefix(v, "@") {
			if _, err := parseNetwork(name); err == nil || name == "" {
				return fmt.Errorf("%q does not begin with a listener: give it like udp/514=192.0.2.0/24", v)
			}
			listener, network = name, rest
		}
		a := c.allowedOf(listener)
		file, ok := strings.CutPrefix(network, "@")
		if !ok {
			p, err := parseNetwork(network)
			if err != nil {
				return err
			}
			a.Networks = append(a.Networks, p)
			continue
		}
		if err := files(new([]string))([]string{file}); err != nil {
			return err
		}
		a.Files = append(a.Files, file)
	}
	return nil
}

// allowedOf returns the networks of a listener, to add some.
func (c *Listen) allowedOf(listener string) *Allowed {
	for i := range c.Allow {
		if c.Allow[i].Listener == listener {
			return &c.Allow[i]
		}
	}
	c.Allow = append(c.Allow, Allowed{Listener: listener})
	return &c.Allow[len(c.Allow)-1]
}

// checkAllow finds networks of listeners that are not there, and warns of those
// that concern nobody, and of listeners that were left open beside others.
func (c *Listen) checkAllow(given settings) error {
	if len(c.Allow) == 0 {
		return nil
	}
	listeners := c.NetworkListeners()
	var open []string
	common := false // whether the networks of all are those of one
	for _, name := range listeners {
		a := c.AllowedTo(name)
		common = common || a != nil && a.Listener == ""
		if a == nil && !c.certified(name) {
			open = append(open, name)
		}
	}
	for _, a := range c.Allow {
		switch {
		case strings.HasPrefix(a.Listener, "unix:"):
			return &Error{given["allow"].origin, fmt.Errorf("%s is a Unix socket, which networks do not reach: its --unix-mode and --unix-owner say who may send", a.Listener)}
		case a.Listener != "" && !slices.Contains(listeners, a.Listener):
			hint := ""
			if strings.HasPrefix(a.Listener, "tls/") && len(c.TLSPorts) == 0 { // left out, perhaps, for want of a certificate
				hint = "; a TLS listener needs --port, --cert and --key"
			}
			return &Error{given["allow"].origin, fmt.Errorf("there is no listener %q: those of this configuration are %s%s", a.Listener, orNone(listeners), hint)}
		case a.Listener == "" && !common:
			c.Warnings = append(c.Warnings, "--allow names networks of its own for every listener, so that those without a listener's name let nobody in: name them for the listeners that they are meant for")
		}
	}
	if len(open) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"everybody may send to %s: --allow names networks for other listeners only; give --allow NETWORK for all that have none of their own, or --allow %s=0.0.0.0/0 --allow %s=::/0 if it is meant", strings.Join(open, ", "), open[0], open[0]))
	}
	return nil
}

// certified tells whether nobody may send to a listener without a certificate.
func (c *Listen) certified(listener string) bool {
	kind, _, _ := strings.Cut(listener, "/")
	return c.ClientAuth == access.Require && slices.Contains([]string{"tls", "relps", "dtls"}, kind)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Read returns all networks, those of the files included. It may be called by
// several goroutines at the same time.
func (a *Allowed) Read() ([]netip.Prefix, error) {
	networks := slices.Clone(a.Networks)
	for _, file := range a.Files {
		more, err := readNetworks(file)
		if err != nil {
			return nil, err
		}
		networks = append(networks, more...)
	}
	return networks, nil
}

// readNetworks reads a file with a network a line. Empty lines and those that
// begin with # say nothing. A file without a network is an error: more often
// than not it is one that is being written.
func readNetworks(file string) (out []netip.Prefix, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the networks of --allow: %w", err)
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		p, err := parseNetwork(line)
		if err != nil {
			return nil, fmt.Errorf("--allow @%s, line %d: %w", file, number, err)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--allow @%s holds no network: write one a line", file)
	}
	return out, nil
}
