package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"kinesyslog/internal/yardstick"
)

// show prints pairs side by side, with the ratio that the table has.
func show(w io.Writer, measured []pair, table []row) error {
	allowed := map[string]string{}
	for _, r := range table {
		allowed[r.pair] = strconv.FormatFloat(r.ratio, 'f', 3, 64)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "pair\tours ns/msg\tMB/s\tallocs/msg\tyardstick\tns/msg\tMB/s\tallocs/msg\tratio\tin the table\t")
	for _, p := range measured {
		a, b := p.ours.best(), p.yardstick.best()
		fmt.Fprintf(t, "%s\t%.1f\t%.0f\t%.2f\t%s\t%.1f\t%.0f\t%.2f\t%.3f\t%s\t\n",
			p.name, a.cpu, a.mbs, a.allocs, p.yardstick.name, b.cpu, b.mbs, b.allocs, p.ratio(), allowed[p.name])
	}
	return t.Flush()
}

// piece is something that cores share, with what an operation takes by the number
// of cores that do it at once.
type piece struct {
	name string
	cost map[int]sample
}

// pieces gathers the output of BenchmarkShared in a package, of any number of
// runs, in the order of its lines. The best of all runs counts.
func pieces(pkg, output string) (all []piece) {
	index := map[string]int{}
	for line := range strings.Lines(output) {
		name, values, ok := benchmark(line, "BenchmarkShared/")
		if !ok {
			continue
		}
		cores := 1
		if stem, n, ok := cutLast(name, "-"); ok {
			if v, err := strconv.Atoi(n); err == nil {
				name, cores = stem, v
			}
		}
		i, ok := index[name]
		if !ok {
			i = len(all)
			index[name] = i
			all = append(all, piece{name: pkg + "/" + name, cost: map[int]sample{}})
		}
		s := sample{elapsed: values["ns/op"], cpu: values[yardstick.SharedCPU]}
		if was, ok := all[i].cost[cores]; ok {
			s = side{samples: []sample{was, s}}.best()
		}
		all[i].cost[cores] = s
	}
	return all
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// showShared prints what an operation takes of the wall clock's time, by the
// number of cores that do it at once, how many times as much they get done
// together as one alone, and what an operation takes of CPU time then.
func showShared(w io.Writer, all []piece, cores []int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "shared piece\t")
	for _, n := range cores {
		fmt.Fprintf(t, "ns/op on %d\t", n)
	}
	for _, n := range cores[1:] {
		fmt.Fprintf(t, "%d cores do\t", n)
	}
	for _, n := range cores {
		fmt.Fprintf(t, "CPU ns on %d\t", n)
	}
	fmt.Fprintln(t)
	for _, p := range all {
		fmt.Fprintf(t, "%s\t", p.name)
		for _, n := range cores {
			fmt.Fprintf(t, "%.1f\t", p.cost[n].elapsed)
		}
		for _, n := range cores[1:] {
			fmt.Fprintf(t, "%.2f x\t", p.cost[1].elapsed/p.cost[n].elapsed)
		}
		for _, n := range cores {
			fmt.Fprintf(t, "%.1f\t", p.cost[n].cpu)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
