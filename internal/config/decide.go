package config

import (
	"errors"
	"fmt"
	"os"
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
	if len(errs) == 0 {
		add(c.checkListeners())
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
	if c.Stream == "" {
		return errors.New("no delivery stream is named: give --stream NAME, or --local DIRECTORY to try without AWS")
	}
	return nil
}

// decideTLS finds out whether there is a certificate, and what it means if
// there is none.
func (c *Listen) decideTLS(given settings) error {
	if len(c.TLSPorts) == 0 {
		c.Cert, c.Key = "", ""
		return nil
	}
	missing := checkPair(c.Cert, c.Key)
	if missing == nil {
		return nil
	}
	cert, key := c.Cert, c.Key
	c.Cert, c.Key = "", ""
	switch {
	case given.has("cert", "key"):
		return fmt.Errorf("%w: make a pair with kinesyslog cert --cert %s --key %s, or switch TLS off with --port 0", missing, cert, key)
	case !errors.Is(missing, os.ErrNotExist):
		return fmt.Errorf("%w: mend it, or name another pair with --cert and --key", missing)
	case c.Local != "":
		c.SelfSigned = true
		return nil
	case given.has("port"):
		return fmt.Errorf("TLS is asked for on port %d, but there is no certificate %s with key %s: make them with kinesyslog cert, or name others with --cert and --key",
			c.TLSPorts[0], cert, key)
	case len(c.TCPPorts)+len(c.UDPPorts) > 0:
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"no TLS listener: there is no certificate %s with key %s; make them with kinesyslog cert, or give --port 0 to silence this", cert, key))
		c.TLSPorts = nil
		return nil
	}
	return fmt.Errorf("nothing to listen on: TLS has no certificate %s with key %s; make them with kinesyslog cert, or give --tcp-port or --udp-port", cert, key)
}

// checkPair tells whether both files can be read.
func checkPair(cert, key string) error {
	for _, f := range []struct{ what, path string }{{"certificate", cert}, {"key", key}} {
		file, err := os.Open(f.path)
		if err != nil {
			return fmt.Errorf("cannot read the TLS %s: %w", f.what, err)
		}
		info, err := file.Stat()
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("cannot read the TLS %s: %w", f.what, err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("cannot read the TLS %s: %s is not a file", f.what, f.path)
		}
	}
	return nil
}

func (c *Listen) checkListeners() error {
	if len(c.TLSPorts)+len(c.TCPPorts)+len(c.UDPPorts) == 0 {
		return errors.New("nothing to listen on: give --tcp-port, --udp-port or --port")
	}
	for _, p := range c.TCPPorts {
		if slices.Contains(c.TLSPorts, p) {
			return fmt.Errorf("port %d is given for TLS and for TCP: give one of them another port", p)
		}
	}
	loopback := slices.Contains([]string{"0.0.0.0", "::", "127.0.0.1", "localhost"}, c.Address)
	if p := c.PrometheusPort; p != 0 && loopback && (slices.Contains(c.TLSPorts, p) || slices.Contains(c.TCPPorts, p)) {
		return fmt.Errorf("port %d is given for --prometheus-port and for syslog: give one of them another port", p)
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
