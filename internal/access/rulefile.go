package access

import (
	"fmt"
	"strings"
)

// readRules reads a file with a rule a line. Empty lines and those that begin
// with # say nothing. A file without a rule is an error: whoever wants to shut
// everybody out stops the listener, and an empty file is more often one that is
// being written.
func readRules(file string) (rules []Rule, err error) {
	data, err := readFile("rules of --permit", file)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, err := ParseRule(line)
		if err != nil {
			return nil, fmt.Errorf("--permit @%s, line %d: %w", file, number, err)
		}
		rules = append(rules, r)
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("--permit @%s holds no rule: write one a line", file)
	}
	return rules, nil
}
