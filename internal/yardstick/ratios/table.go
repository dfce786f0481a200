package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
)

// row is what the table allows a pair.
type row struct {
	pair      string
	yardstick string
	ratio     float64
	allocs    float64 // a message
}

const tableHead = `# What a message costs us in CPU time, as a share of what it costs the yardstick, and our allocations for it.
# A change that makes a ratio more than 15 % worse, or allocates more, fails. Written by: make bench-baseline
# (on a quiet machine; see docs/performance.md).
#
`

// readTable reads a file of rows; text behind # is for people.
func readTable(path string) ([]row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the table of ratios: %w", err)
	}
	defer f.Close()
	rows, err := parseTable(f)
	if err != nil {
		return nil, fmt.Errorf("read the table of ratios %s: %w", path, err)
	}
	return rows, nil
}

func parseTable(r io.Reader) (rows []row, err error) {
	known := map[string]bool{}
	s := bufio.NewScanner(r)
	for line := 1; s.Scan(); line++ {
		text, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 4 {
			return nil, fmt.Errorf("line %d has %d columns, want pair, yardstick, ratio and allocations", line, len(fields))
		}
		r := row{pair: fields[0], yardstick: fields[1]}
		if r.ratio, err = strconv.ParseFloat(fields[2], 64); err != nil || !(r.ratio > 0) {
			return nil, fmt.Errorf("line %d: ratio %q is no number above 0", line, fields[2])
		}
		if r.allocs, err = strconv.ParseFloat(fields[3], 64); err != nil || !(r.allocs >= 0) {
			return nil, fmt.Errorf("line %d: %q is no number of allocations", line, fields[3])
		}
		if known[r.pair] {
			return nil, fmt.Errorf("line %d: %s stands there twice", line, r.pair)
		}
		known[r.pair] = true
		rows = append(rows, r)
	}
	return rows, s.Err()
}

// writeTable is the inverse of parseTable, but for rounding.
func writeTable(w io.Writer, measured []pair) error {
	if _, err := io.WriteString(w, tableHead); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "# pair\tyardstick\tratio\tallocations\n")
	for _, p := range measured {
		fmt.Fprintf(t, "%s\t%s\t%.3f\t%.2f\n", p.name, p.yardstick.name, p.ratio(), p.allocs())
	}
	return t.Flush()
}
