package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// binary is the test program of one package with benchmarks.
type binary struct {
	pkg  string // "cwl"
	dir  string // of its source, where it runs
	file string
}

// declaring returns the directories below root/internal whose tests declare a
// benchmark of this name.
func declaring(root, name string) (dirs []string, err error) {
	files, err := filepath.Glob(filepath.Join(root, "internal", "*", "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("look for benchmarks: %w", err)
		}
		if dir := filepath.Dir(f); bytes.Contains(source, []byte("\nfunc "+name+"(b *testing.B)")) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no package below %s declares %s: run it in the module's root", filepath.Join(root, "internal"), name)
	}
	return dirs, nil
}

// build makes the test programs of all packages below root that declare a
// benchmark of this name, and puts them into a directory.
func build(root, name, into string) (all []binary, err error) {
	dirs, err := declaring(root, name)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		b := binary{pkg: filepath.Base(dir), dir: dir}
		b.file = filepath.Join(into, b.pkg+".test")
		if out, err := exec.Command("go", "test", "-c", "-o", b.file, "./"+dir).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the benchmarks of %s: %w\n%s", dir, err, out)
		}
		all = append(all, b)
	}
	return all, nil
}

// run runs benchmarks, each for about so long, and returns their output.
func (b binary) run(pattern, cpu string, each time.Duration) (string, error) {
	cmd := exec.Command(b.file, "-test.run", "^$", "-test.bench", pattern, "-test.cpu", cpu, "-test.benchtime", each.String())
	cmd.Dir = b.dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		return "", fmt.Errorf("run the benchmarks of %s: %w\n%s", b.dir, err, out)
	}
	return string(out), nil
}

// effort is how much time is taken to measure.
type effort struct {
	rounds int
	each   time.Duration
}

// measureAll runs the pairs of these names, all if there are none. The sides of
// a pair take turns, and so do the packages, so that what disturbs the machine
// for a while does not disturb one of them only. They run on one core, so that
// the garbage collector's share shows.
func measureAll(programs []binary, names []string, e effort) (all []pair, err error) {
	outputs := make([]strings.Builder, len(programs))
	for range e.rounds {
		for i, b := range programs {
			pattern, ok := patternFor(b.pkg, names)
			if !ok {
				continue
			}
			out, err := b.run(pattern, "1", e.each)
			if err != nil {
				return nil, err
			}
			outputs[i].WriteString(out)
		}
	}
	for i, b := range programs {
		p, err := pairs(b.pkg, outputs[i].String())
		if err != nil {
			return nil, err
		}
		all = append(all, p...)
	}
	return all, nil
}

// patternFor selects the pairs of a package among names, all if there are none;
// ok is false if no name is of this package.
func patternFor(pkg string, names []string) (pattern string, ok bool) {
	if len(names) == 0 {
		return "^BenchmarkYardstick$", true
	}
	var own []string
	for _, n := range names {
		if p, pair, _ := strings.Cut(n, "/"); p == pkg {
			own = append(own, regexp.QuoteMeta(pair))
		}
	}
	return "^BenchmarkYardstick$/^(" + strings.Join(own, "|") + ")$", len(own) > 0
}
