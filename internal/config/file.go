package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

// parseFile reads a YAML mapping of option names to values or lists of values.
// The nodes are walked instead of decoded into a struct, so that not only
// unknown keys but also bad values are reported with their line.
func parseFile(path string, data []byte, table []Option) (settings, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return settings{}, nil // only comments, or nothing at all
	} else if err != nil {
		return nil, syntaxError(path, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{Origin: path, Err: errors.New("holds more than one YAML document: keep one")}
	}
	root := resolved(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		if root.Tag == "!!null" {
			return settings{}, nil
		}
		return nil, &Error{Origin: at(path, root), Err: errors.New("is not a list of options: write one option a line, like udp-port: 514")}
	}
	s := settings{}
	var errs []error
	for i := 0; i < len(root.Content); i += 2 {
		if err := s.add(path, root.Content[i], resolved(root.Content[i+1]), table); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// add takes one key with its value. A key and its alias add up, as flags do.
func (s settings) add(path string, key, value *yaml.Node, table []Option) error {
	o := find(table, key.Value)
	if o == nil || o.Name == configOption {
		return &Error{Origin: at(path, key), Err: fmt.Errorf("there is no option %q%s", key.Value, suggestion(table, key.Value))}
	}
	origin := at(path, key) + ": " + key.Value
	if _, twice := s[o.Name]; twice && !o.Repeat {
		return &Error{Origin: origin, Err: errors.New("is given twice: take one away")}
	}
	nodes := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode && o.Repeat {
		nodes = value.Content
	}
	values := s[o.Name].values
	for _, n := range nodes {
		n = resolved(n)
		switch {
		case n.Kind != yaml.ScalarNode && !o.Repeat:
			return &Error{Origin: origin, Err: errors.New("takes one value only: give it behind the colon")}
		case n.Kind != yaml.ScalarNode:
			return &Error{Origin: origin, Err: errors.New("takes a value or a list of values: nothing may be nested in it")}
		case n.Tag == "!!null":
			return &Error{Origin: origin, Err: errors.New("has no value: give one, or take the line away")}
		}
		values = append(values, n.Value)
	}
	if len(values) == 0 {
		return &Error{Origin: origin, Err: errors.New("is an empty list: give a value, or take the line away")}
	}
	s[o.Name] = setting{values: values, origin: origin}
	return nil
}

func find(table []Option, name string) *Option {
	for i := range table {
		if name != "" && (table[i].Name == name || table[i].Alias == name) {
			return &table[i]
		}
	}
	return nil
}

// suggestion names the option that was probably meant.
func suggestion(table []Option, name string) string {
	plain := strings.NewReplacer("_", "-", "--", "").Replace(strings.ToLower(strings.TrimSpace(name)))
	for _, try := range []string{plain, strings.TrimSuffix(plain, "s")} {
		if o := find(table, try); o != nil && o.Name != configOption {
			return fmt.Sprintf(": did you mean %s?", try)
		}
	}
	return ": see kinesyslog listen --help for those there are"
}

func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func at(path string, n *yaml.Node) string { return fmt.Sprintf("%s:%d", path, n.Line) }

func syntaxError(path string, err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		return &Error{Origin: path, Err: err}
	case m[1] != "":
		path += ":" + m[1]
	}
	return &Error{Origin: path, Err: fmt.Errorf("not YAML: %s", m[2])}
}
