package config

import (
	"errors"
	"slices"
)

// readingOptions are those that say how messages are read, and where a running
// relay tells of it.
var readingOptions = []string{"timezone", "timezone-for", "max-skew", "add-header", "group-prefix", "stream-name", "prometheus-port", configOption}

// ReadingOptions returns the lines of the table that LoadReading goes by.
func ReadingOptions() []Option {
	return slices.DeleteFunc(Options(), func(o Option) bool { return !slices.Contains(readingOptions, o.Name) })
}

// LoadReading returns how a relay with this configuration reads messages, for
// whoever reads one without being a relay. Only the fields of ReadingOptions are
// set. Other options may be in the file and in the environment; they have no
// effect, and their values are not looked at.
func LoadReading(in Input) (*Listen, error) {
	c := &Listen{}
	given, err := gather(c.options(), in)
	if err != nil {
		return nil, err
	}
	table := slices.DeleteFunc(c.options(), func(o Option) bool { return !slices.Contains(readingOptions, o.Name) })
	if err := errors.Join(apply(table, given)...); err != nil {
		return nil, err
	}
	return c, nil
}
