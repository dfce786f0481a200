package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	minSpoolBytes = 16 << 20
	maxSpoolBytes = 1 << 50
	maxSize       = 1 << 62
	sizeUnits     = "KMGT"

	defaultFlush = "60s"
	localFlush   = 3 * time.Second
	minFlush     = 100 * time.Millisecond
	maxFlush     = 15 * time.Minute
	maxFlushMax  = 24 * time.Hour
	minSync      = time.Millisecond
	maxSync      = time.Minute
	maxShutdown  = time.Hour
	maxIdle      = 30 * 24 * time.Hour
)

var (
	streamPattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)
	groupPattern  = regexp.MustCompile(`^[a-zA-Z0-9_./#-]{0,256}$`)
	rolePattern   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
	ownerPattern  = regexp.MustCompile(`^[0-9]{12}$`)
	sizePattern   = regexp.MustCompile(`(?i)^([0-9]{1,18}(?:\.[0-9]{1,6})?) ?(?:([KMGT])(iB?|B)?)?$`)
)

// one turns a setter of one value into one of many, of which the last counts.
func one(set func(string) error) func([]string) error {
	return func(values []string) error { return set(values[len(values)-1]) }
}

func text(to *string) func([]string) error {
	return one(func(v string) error {
		if strings.ContainsFunc(v, unicode.IsControl) {
			return fmt.Errorf("%q has control characters in it: take them out", v)
		}
		*to = v
		return nil
	})
}

func matching(to *string, pattern *regexp.Regexp, want string) func([]string) error {
	return one(func(v string) error {
		if !pattern.MatchString(v) {
			return fmt.Errorf("%q is not %s", v, want)
		}
		*to = v
		return nil
	})
}

func streamName(to *string) func([]string) error {
	return matching(to, streamPattern, "a stream's name: give the name alone (not the ARN), up to 64 letters, digits, _, . and -")
}

func roleARN(to *string) func([]string) error {
	return matching(to, rolePattern, "a role's ARN: give it like arn:aws:iam::123456789012:role/NAME")
}

func account(to *string) func([]string) error {
	return matching(to, ownerPattern, "an account id: give its 12 digits")
}

func groupPrefix(to *string) func([]string) error {
	set := matching(to, groupPattern, "a log group's name: use letters, digits, _, ., /, # and - only")
	return func(values []string) error {
		err := set(values)
		*to = strings.TrimRight(*to, "/")
		return err
	}
}

func address(to *string) func([]string) error {
	return one(func(v string) error {
		bare := strings.TrimSuffix(strings.TrimPrefix(v, "["), "]")
		if _, err := netip.ParseAddr(bare); err != nil && (bare == "" || strings.ContainsAny(bare, ":/[] \t")) {
			return fmt.Errorf("%q is not an address to listen on: give an IP address or a host name, without a port", v)
		}
		*to = bare
		return nil
	})
}

func endpoint(to *string) func([]string) error {
	return one(func(v string) error {
		u, err := url.Parse(v)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("%q is not an address of an API: give it like http://127.0.0.1:4573", v)
		}
		*to = v
		return nil
	})
}

// choice is false for one word and true for the other.
func choice(to *bool, no, yes string) func([]string) error {
	return one(func(v string) error {
		if v != no && v != yes {
			return fmt.Errorf("%q will not do: give %s or %s", v, no, yes)
		}
		*to = v == yes
		return nil
	})
}

func integer(to *int, low, high int) func([]string) error {
	return one(func(v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q will not do: give a number from %d to %d", v, low, high)
		}
		*to = n
		return nil
	})
}

// ports takes 0 as "none": it adds no port, and is what an empty list is
// asked for with.
func ports(to *[]int) func([]string) error {
	return func(values []string) error {
		*to = nil
		for _, v := range values {
			var n int
			if err := integer(&n, 0, 65535)([]string{v}); err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if slices.Contains(*to, n) {
				return fmt.Errorf("port %d is given twice: take one away", n)
			}
			*to = append(*to, n)
		}
		return nil
	}
}

func boolean(to *bool) func([]string) error {
	return one(func(v string) error {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%q will not do: give true or false", v)
		}
		*to = b
		return nil
	})
}

func duration(to *time.Duration, low, high time.Duration) func([]string) error {
	return one(func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil {
			return fmt.Errorf("%q is not a time: give it with its unit, like 500ms, 60s or 2m", v)
		}
		if d < low || d > high {
			return fmt.Errorf("%s is out of range: give a time from %s to %s", v, low, high)
		}
		*to = d
		return nil
	})
}

func timezone(to **time.Location) func([]string) error {
	return one(func(v string) error {
		if strings.EqualFold(v, "local") {
			*to = time.Local
			return nil
		}
		zone, err := time.LoadLocation(v)
		if err != nil || v == "" {
			return fmt.Errorf("%q is not a time zone that this machine knows: give a name like UTC or Europe/Oslo, or local", v)
		}
		*to = zone
		return nil
	})
}

func size[N int | int64](to *N, low, high N) func([]string) error {
	return one(func(v string) error {
		n, err := ParseSize(v)
		if err != nil {
			return err
		}
		if n < int64(low) || n > int64(high) {
			return fmt.Errorf("%s is out of range: give a size from %s to %s", v, formatSize(int64(low)), formatSize(int64(high)))
		}
		*to = N(n)
		return nil
	})
}

// ParseSize reads bytes: "65536", "512M", "1.5GiB", "10GB". K, M, G and T count
// in 1024, with or without iB; KB, MB, GB and TB count in 1000. The error says
// what a size looks like.
func ParseSize(v string) (int64, error) {
	m := sizePattern.FindStringSubmatch(v)
	if m == nil {
		return 0, fmt.Errorf("%q is not a size: give a number, alone or with K, M, G or T, like 512M or 10GiB", v)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, err
	}
	step := 1024.0
	if strings.EqualFold(m[3], "B") {
		step = 1000
	}
	if m[2] != "" {
		for range strings.Index(sizeUnits, strings.ToUpper(m[2])) + 1 {
			n *= step
		}
	}
	if n > maxSize {
		return 0, fmt.Errorf("%s is more than any disk has: give a smaller size", v)
	}
	return int64(n), nil
}

// formatSize is the inverse of ParseSize, in the largest unit that is exact.
func formatSize(n int64) string {
	power := 0
	for n != 0 && n%1024 == 0 && power < len(sizeUnits) {
		n /= 1024
		power++
	}
	if power == 0 {
		return strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10) + sizeUnits[power-1:power]
}
