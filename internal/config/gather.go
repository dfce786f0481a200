package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// maxFileBytes bounds the configuration file: more than this is another file
// that was named by mistake.
const maxFileBytes = 1 << 20

// setting is what was given for one option in the place that wins.
type setting struct {
	values []string // never empty
	origin string   // as in Error
}

// settings are by the option's name, never by its alias.
type settings map[string]setting

func (s settings) has(names ...string) bool {
	for _, name := range names {
		if _, ok := s[name]; ok {
			return true
		}
	}
	return false
}

// gather finds for each option the place that wins: flag, environment, file.
// Options that nobody gave are not in it.
func gather(table []Option, in Input) (settings, error) {
	given := settings{}
	for i := range table {
		if s, ok := fromFlags(&table[i], in.Flags); ok {
			given[table[i].Name] = s
		} else if s, ok := fromEnv(&table[i], in.LookupEnv); ok {
			given[table[i].Name] = s
		}
	}
	named, ok := given[configOption]
	if !ok {
		return given, nil
	}
	path := named.values[len(named.values)-1]
	file, err := readFile(path, named.origin, table)
	if err != nil {
		return nil, err
	}
	for name, s := range file {
		if !given.has(name) {
			given[name] = s
		}
	}
	return given, nil
}

func fromFlags(o *Option, flags map[string][]string) (s setting, ok bool) {
	for _, name := range o.names() {
		if values := flags[name]; len(values) > 0 {
			s.values = append(s.values, values...)
			s.origin = "--" + name
		}
	}
	return s, len(s.values) > 0
}

// fromEnv takes an empty variable as one that is not set, as container
// managers set those that they have no value for. It passes over the
// KINESYSLOG_PORT=tcp://10.0.0.1:6514 that Kubernetes puts into every pod
// beside a service by the name of kinesyslog.
func fromEnv(o *Option, lookup func(string) (string, bool)) (s setting, ok bool) {
	for _, name := range o.names() {
		v, _ := lookup(envName(name))
		values := strings.Fields(v)
		if len(values) == 0 || o.Repeat && strings.Contains(v, "://") {
			continue
		}
		if !o.Repeat {
			values = []string{v}
		}
		s.values = append(s.values, values...)
		s.origin = envName(name)
	}
	return s, len(s.values) > 0
}

func readFile(path, origin string, table []Option) (settings, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Origin: origin, Err: fmt.Errorf("there is no file %s: give the path of a YAML file", path)}
	case err != nil:
		return nil, &Error{Origin: origin, Err: err}
	case info.IsDir():
		return nil, &Error{Origin: origin, Err: fmt.Errorf("%s is a directory: give the path of a YAML file", path)}
	case info.Size() > maxFileBytes:
		return nil, &Error{Origin: origin, Err: fmt.Errorf("%s has %d bytes, more than any configuration: give the path of a YAML file", path, info.Size())}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Origin: origin, Err: err}
	}
	return parseFile(path, data, table)
}
