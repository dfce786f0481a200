package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSkew is the largest limit that --max-skew takes; more is none.
const maxSkew = 100 * 365 * 24 * time.Hour

// Zone is where the clocks of the senders in a network are.
type Zone struct {
	Network  netip.Prefix // IPv4 is not mapped into IPv6
	Location *time.Location
}

// ZoneOf returns the zone of timestamps that name none, for a sender's address:
// that of the smallest network with the sender in it, or else Timezone. It may
// be called by several goroutines at the same time.
func (c *Listen) ZoneOf(address string) *time.Location {
	if len(c.Zones) > 0 {
		if a, err := netip.ParseAddr(address); err == nil {
			a = a.Unmap().WithZone("")
			for _, z := range c.Zones { // the smallest first
				if z.Network.Contains(a) {
					return z.Location
				}
			}
		}
	}
	return c.Timezone
}

func zones(to *[]Zone) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			z, err := parseZone(v)
			if err != nil {
				return err
			}
			for _, other := range *to {
				if other.Network == z.Network {
					return fmt.Errorf("network %s is given twice: take one away", z.Network)
				}
			}
			*to = append(*to, z)
		}
		slices.SortStableFunc(*to, func(a, b Zone) int { return cmp.Compare(b.Network.Bits(), a.Network.Bits()) })
		return nil
	}
}

func parseZone(v string) (z Zone, err error) {
	network, name, ok := strings.Cut(v, "=")
	if !ok {
		return z, fmt.Errorf("%q is not a network and a zone: give it like 10.1.0.0/16=Europe/Oslo", v)
	}
	if z.Network, err = parseNetwork(network); err != nil {
		return z, err
	}
	return z, timezone(&z.Location)([]string{name})
}

// skew reads "30d,1d", or one value for both.
func skew(past, future *time.Duration) func([]string) error {
	return one(func(v string) error {
		p, f, two := strings.Cut(v, ",")
		if !two {
			f = p
		}
		for _, half := range []struct {
			text string
			to   *time.Duration
		}{{p, past}, {f, future}} {
			d, err := parseDays(strings.TrimSpace(half.text))
			if err != nil {
				return err
			}
			if d > maxSkew {
				return fmt.Errorf("%s is more than a hundred years: give 0 to believe any time", half.text)
			}
			*half.to = d
		}
		return nil
	})
}

// parseDays reads a time that may begin with days: "30d", "1d12h", "36h", "0".
func parseDays(v string) (time.Duration, error) {
	const day = 24 * time.Hour
	days, rest, ok := strings.Cut(v, "d")
	if !ok {
		days, rest = "0", v
	}
	n, err := strconv.ParseUint(days, 10, 16)
	d := time.Duration(n) * day
	if err == nil && (rest != "" || !ok) {
		var more time.Duration
		more, err = time.ParseDuration(rest)
		if more < 0 {
			err = errors.New("negative")
		}
		d += more
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a distance in time: give it like 30d, 36h or 1d12h, or 0 for no limit", v)
	}
	return d, nil
}
