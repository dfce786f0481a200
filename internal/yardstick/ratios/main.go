// Ratios runs the benchmarks that have a yardstick beside them. Called in the
// module's root with one of three words:
//
//	show    prints ours and the yardsticks, and what cores share
//	check   fails if one of ours got slower than the table of ratios allows, or allocates more
//	renew   writes the table anew
//
// It compares CPU times within one run on one machine, the best of several
// turns, so that it hardly matters what else the machine does.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// firstEffort is what a check begins with. The table is made of as much, or it
// would hold ratios that a check does not reach.
var firstEffort = effort{4, 60 * time.Millisecond}

var errWorse = errors.New("the benchmarks are not what the table of ratios says")

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("ratios", flag.ContinueOnError)
	path := flags.String("table", ".ci/ratios.txt", "the table of ratios")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "ratios")
	if err != nil {
		return fmt.Errorf("make a directory for test programs: %w", err)
	}
	defer os.RemoveAll(tmp)
	switch flags.Arg(0) {
	case "show":
		return showAll(out, *path, tmp)
	case "check":
		return checkAll(out, *path, tmp)
	case "renew":
		return renew(out, *path, tmp)
	}
	return fmt.Errorf("%q is not show, check or renew", flags.Arg(0))
}

func showAll(out io.Writer, path, tmp string) error {
	table, err := readTable(path)
	if err != nil {
		return err
	}
	programs, err := build(".", "BenchmarkYardstick", tmp)
	if err != nil {
		return err
	}
	measured, err := measureAll(programs, nil, effort{5, 100 * time.Millisecond})
	if err != nil {
		return err
	}
	if err := show(out, measured, table); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nns/msg is CPU time, the best of 5 runs; ratio is ours to the yardstick's.")
	fmt.Fprintln(out)
	return showCores(out, tmp)
}

// showCores prints what is shared, on 1, 2, 4 and so on cores.
func showCores(out io.Writer, tmp string) error {
	programs, err := build(".", "BenchmarkShared", tmp)
	if err != nil {
		return err
	}
	cores, list := []int{1}, "1"
	for n := 2; n <= runtime.NumCPU(); n *= 2 {
		cores, list = append(cores, n), list+","+strconv.Itoa(n)
	}
	var all []piece
	for _, b := range programs {
		var output strings.Builder
		for range 10 {
			text, err := b.run("^BenchmarkShared$", list, 40*time.Millisecond)
			if err != nil {
				return err
			}
			output.WriteString(text)
		}
		all = append(all, pieces(b.pkg, output.String())...)
	}
	return showShared(out, all, cores)
}

func checkAll(out io.Writer, path, tmp string) error {
	table, err := readTable(path)
	if err != nil {
		return err
	}
	programs, err := build(".", "BenchmarkYardstick", tmp)
	if err != nil {
		return err
	}
	efforts := [attempts]effort{firstEffort, {6, 150 * time.Millisecond}, {8, 250 * time.Millisecond}}
	measured, problems, err := check(table, func(names []string, attempt int) ([]pair, error) {
		return measureAll(programs, names, efforts[attempt])
	})
	if err != nil {
		return err
	}
	if err := show(out, measured, table); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(out, "WORSE:", p)
	}
	if len(problems) > 0 {
		return errWorse
	}
	return nil
}

func renew(out io.Writer, path, tmp string) error {
	programs, err := build(".", "BenchmarkYardstick", tmp)
	if err != nil {
		return err
	}
	var runs [][]pair
	for range 5 {
		measured, err := measureAll(programs, nil, firstEffort)
		if err != nil {
			return err
		}
		runs = append(runs, measured)
	}
	measured := typical(runs)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the table of ratios: %w", err)
	}
	if err := errors.Join(writeTable(f, measured), f.Close()); err != nil {
		return fmt.Errorf("write the table of ratios: %w", err)
	}
	return show(out, measured, nil)
}
