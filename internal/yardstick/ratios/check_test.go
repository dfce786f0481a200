package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// measured makes a pair whose yardstick takes 100 ns.
func measured(name string, cpu, allocs float64) pair {
	return pair{
		name:      name,
		ours:      side{ours, []sample{{cpu: cpu, elapsed: cpu, allocs: allocs}}},
		yardstick: side{"gzip", []sample{{cpu: 100, elapsed: 100}}},
	}
}

func TestCheckReportsWhatTheTableDoesNotAllow(t *testing.T) {
	allowed := []row{{"cwl/event", "gzip", 0.5, 0}}
	for _, c := range []struct {
		name  string
		table []row
		pairs []pair
		want  string // part of the only problem; empty: none
	}{
		{"as it was", allowed, []pair{measured("cwl/event", 50, 0)}, ""},
		{"faster", allowed, []pair{measured("cwl/event", 5, 0)}, ""},
		{"slower, within the tolerance", allowed, []pair{measured("cwl/event", 57, 0)}, ""},
		{"slower", allowed, []pair{measured("cwl/event", 58, 0)}, "cwl/event takes 0.580 of the time of gzip, not 0.500: 16 % worse"},
		{"allocates", allowed, []pair{measured("cwl/event", 50, 1)}, "cwl/event allocates 1.00 times a message, not 0.00"},
		{"allocates now and then", allowed, []pair{measured("cwl/event", 50, 0.02)}, "allocates 0.02 times"},
		{"allocates once in a run", allowed, []pair{measured("cwl/event", 50, 0.0004)}, ""},
		{"row without a benchmark", append(allowed, row{"cwl/gone", "gzip", 1, 0}), []pair{measured("cwl/event", 50, 0)}, "cwl/gone is in the table, but there is no such benchmark"},
		{"benchmark without a row", nil, []pair{measured("cwl/event", 50, 0)}, "cwl/event is not in the table"},
		{"another yardstick", []row{{"cwl/event", "zlib", 0.5, 0}}, []pair{measured("cwl/event", 50, 0)}, "is measured against gzip, in the table against zlib"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems, err := check(c.table, func([]string, int) ([]pair, error) { return c.pairs, nil })
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.want == "" && len(problems) > 0:
				t.Errorf("problems: %q", problems)
			case c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.want)):
				t.Errorf("problems %q, want one: %s", problems, c.want)
			}
		})
	}
}

func TestPairThatSeemsWorseIsMeasuredAgainAloneBeforeItFails(t *testing.T) {
	table := []row{{"cwl/event", "gzip", 0.5, 0}, {"syslog/scan", "gzip", 0.5, 0}, {"upload/body", "gzip", 0.5, 0}}
	// The first is disturbed once, the second is well, the third is worse.
	runs := [][]pair{
		{measured("cwl/event", 90, 0), measured("syslog/scan", 50, 0), measured("upload/body", 70, 0)},
		{measured("cwl/event", 51, 0), measured("upload/body", 65, 0)},
		{measured("upload/body", 60, 0)},
	}
	var asked [][]string
	got, problems, err := check(table, func(names []string, attempt int) ([]pair, error) {
		asked = append(asked, names)
		return runs[attempt], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{nil, {"cwl/event", "upload/body"}, {"upload/body"}}, asked); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"upload/body takes 0.600 of the time of gzip, not 0.500: 20 % worse"}, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var ratios []float64
	for _, p := range got {
		ratios = append(ratios, p.ratio())
	}
	if diff := cmp.Diff([]float64{0.51, 0.5, 0.6}, ratios); diff != "" {
		t.Errorf("the ratios measured last (-want +got):\n%s", diff)
	}
}
