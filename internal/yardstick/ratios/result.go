package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kinesyslog/internal/yardstick"
)

// ours is what a benchmark's side is called that is not the yardstick.
const ours = "ours"

// sample is one line of a benchmark's output: what a message costs.
type sample struct {
	elapsed, cpu float64 // ns
	allocs       float64
	mbs          float64 // MB/s
}

// side is one half of a pair, with a sample for each time that it ran.
type side struct {
	name    string
	samples []sample
}

// best is the least of all samples. Whatever disturbs a benchmark makes it
// slower, so the fastest run is nearest to the truth. Allocations are not
// disturbed: the least is what always happens.
func (s side) best() sample {
	b := s.samples[0]
	for _, o := range s.samples[1:] {
		b.elapsed, b.cpu, b.allocs = min(b.elapsed, o.elapsed), min(b.cpu, o.cpu), min(b.allocs, o.allocs)
		b.mbs = max(b.mbs, o.mbs)
	}
	return b
}

// pair is a benchmark of ours beside its yardstick.
type pair struct {
	name            string // "cwl/event"
	ours, yardstick side
}

// ratio is the CPU time of a message, ours to the yardstick's.
func (p pair) ratio() float64 { return p.ours.best().cpu / p.yardstick.best().cpu }

// allocs are those of one message of ours.
func (p pair) allocs() float64 { return p.ours.best().allocs }

// typical picks of several runs of the same pairs, for each pair the run with the
// median ratio.
func typical(runs [][]pair) (out []pair) {
	for i := range runs[0] {
		var same []pair
		for _, run := range runs {
			same = append(same, run[i])
		}
		slices.SortFunc(same, func(a, b pair) int { return cmp.Compare(a.ratio(), b.ratio()) })
		out = append(out, same[len(same)/2])
	}
	return out
}

// pairs gathers the output of BenchmarkYardstick in a package, of any number of
// runs, in the order of the pairs' names.
func pairs(pkg, output string) ([]pair, error) {
	found := map[string]*pair{}
	for line := range strings.Lines(output) {
		name, values, ok := benchmark(line, "BenchmarkYardstick/")
		if !ok {
			continue
		}
		which, sideName, ok := strings.Cut(name, "/")
		if !ok || strings.Contains(sideName, "/") {
			return nil, fmt.Errorf("benchmark %s of %s is not called <pair>/<side>", name, pkg)
		}
		s := sample{values[yardstick.Elapsed], values[yardstick.CPU], values[yardstick.Allocations], values["MB/s"]}
		if s.cpu <= 0 {
			return nil, fmt.Errorf("benchmark %s of %s reports no %s: it does not use yardstick.Measure, or ran too short a time", name, pkg, yardstick.CPU)
		}
		p := found[which]
		if p == nil {
			p = &pair{name: pkg + "/" + which}
			found[which] = p
		}
		half := &p.yardstick
		if sideName == ours {
			half = &p.ours
		}
		if half.name != "" && half.name != sideName {
			return nil, fmt.Errorf("%s has two yardsticks, %s and %s; it needs one", p.name, half.name, sideName)
		}
		half.name = sideName
		half.samples = append(half.samples, s)
	}
	var all []pair
	for _, p := range found {
		if p.ours.name == "" || p.yardstick.name == "" {
			return nil, fmt.Errorf("%s has only one side: it needs %q and a yardstick", p.name, ours)
		}
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// benchmark reads a line of a benchmark's output, if it is one of those that
// begin so. The values are by unit.
func benchmark(line, prefix string) (name string, values map[string]float64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || len(fields)%2 != 0 {
		return "", nil, false
	}
	name, ok = strings.CutPrefix(fields[0], prefix)
	if !ok {
		return "", nil, false
	}
	values = map[string]float64{}
	for i := 2; i < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return "", nil, false
		}
		values[fields[i+1]] = v
	}
	return name, values, true
}
