package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableIsReadAsItWasWritten(t *testing.T) {
	var b strings.Builder
	if err := writeTable(&b, []pair{measured("cwl/event", 12.34, 0), measured("upload/body", 250, 1.5)}); err != nil {
		t.Fatal(err)
	}
	got, err := parseTable(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	want := []row{{"cwl/event", "gzip", 0.123, 0}, {"upload/body", "gzip", 2.5, 1.5}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestTableThatCannotBeReadNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"# a comment\ncwl/event gzip 0.5\n":              "line 2 has 3 columns",
		"cwl/event gzip fast 0":                          "line 1: ratio",
		"cwl/event gzip 0 0":                             "line 1: ratio",
		"cwl/event gzip NaN 0":                           "line 1: ratio",
		"cwl/event gzip 1 -1":                            "line 1: \"-1\" is no number of allocations",
		"cwl/event gzip 1 0\ncwl/event gzip 1 0 # again": "line 2: cwl/event stands there twice",
	} {
		if _, err := parseTable(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestTableThatIsNotThereIsAnError(t *testing.T) {
	if _, err := readTable(t.TempDir() + "/ratios.txt"); err == nil {
		t.Error("no error")
	}
}
