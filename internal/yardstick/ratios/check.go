package main

import (
	"fmt"
	"slices"
)

const (
	// tolerance is by how much a ratio may be worse than the table says.
	tolerance = 0.15
	// allocSlack is half of the last digit that the table has, and as much again.
	allocSlack = 0.01
	// attempts is how often a pair is measured before it counts as worse.
	attempts = 3
)

// measurer runs the pairs of these names, all if there are none, and takes the
// more time for it the higher the attempt, which counts from 0.
type measurer func(names []string, attempt int) ([]pair, error)

// check measures all pairs and returns what is wrong, nothing if all is well. A
// pair that seems to be worse is measured again, longer: a disturbance passes,
// a change for the worse does not.
func check(table []row, measure measurer) (measured []pair, problems []string, err error) {
	if measured, err = measure(nil, 0); err != nil {
		return nil, nil, err
	}
	allowed := map[string]row{}
	for _, r := range table {
		allowed[r.pair] = r
		if !slices.ContainsFunc(measured, func(p pair) bool { return p.name == r.pair }) {
			problems = append(problems, fmt.Sprintf("%s is in the table, but there is no such benchmark", r.pair))
		}
	}
	var suspects []string
	for _, p := range measured {
		r, ok := allowed[p.name]
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s is not in the table: make bench-baseline", p.name))
		case r.yardstick != p.yardstick.name:
			problems = append(problems, fmt.Sprintf("%s is measured against %s, in the table against %s: make bench-baseline", p.name, p.yardstick.name, r.yardstick))
		case r.verdict(p) != "":
			suspects = append(suspects, p.name)
		}
	}
	for attempt := 1; attempt < attempts && len(suspects) > 0; attempt++ {
		again, err := measure(suspects, attempt)
		if err != nil {
			return nil, nil, err
		}
		suspects = nil
		for _, p := range again {
			measured[slices.IndexFunc(measured, func(m pair) bool { return m.name == p.name })] = p
			if allowed[p.name].verdict(p) != "" {
				suspects = append(suspects, p.name)
			}
		}
	}
	for _, p := range measured {
		if slices.Contains(suspects, p.name) {
			problems = append(problems, allowed[p.name].verdict(p))
		}
	}
	return measured, problems, nil
}

// verdict says why a pair is worse than its row, "" if it is not.
func (r row) verdict(p pair) string {
	if allocs := p.allocs(); allocs >= r.allocs+allocSlack {
		return fmt.Sprintf("%s allocates %.2f times a message, not %.2f", r.pair, allocs, r.allocs)
	}
	if ratio := p.ratio(); ratio > r.ratio*(1+tolerance) {
		return fmt.Sprintf("%s takes %.3f of the time of %s, not %.3f: %.0f %% worse", r.pair, ratio, r.yardstick, r.ratio, 100*(ratio/r.ratio-1))
	}
	return ""
}
