package config

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// networks takes prefixes, and single addresses as the longest ones.
func networks(to *[]netip.Prefix) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			p, err := parseNetwork(v)
			if err != nil {
				return err
			}
			*to = append(*to, p)
		}
		return nil
	}
}

// allow tells networks from the files that hold some.
func (c *Listen) allow(values []string) error {
	c.Allow, c.AllowFiles = nil, nil
	var inline []string
	for _, v := range values {
		file, ok := strings.CutPrefix(v, "@")
		if !ok {
			inline = append(inline, v)
			continue
		}
		if err := files(new([]string))([]string{file}); err != nil {
			return err
		}
		c.AllowFiles = append(c.AllowFiles, file)
	}
	return networks(&c.Allow)(inline)
}

// ReadNetworks reads a file of --allow with a network a line. Empty lines and
// those that begin with # say nothing. A file without a network is an error:
// more often than not it is one that is being written.
func ReadNetworks(file string) (out []netip.Prefix, err error) {
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
