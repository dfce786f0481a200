package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBestOfSeveralRunsCounts(t *testing.T) {
	got, err := pairs("cwl", `goos: linux
BenchmarkYardstick/text/ours             100	 6400 MB/s	 0.5 allocs/msg	 40 cpu-ns/msg	 41 ns/msg
BenchmarkYardstick/text/encoding_json    100	  640 MB/s	   2 allocs/msg	 400 cpu-ns/msg	 420 ns/msg
BenchmarkYardstick/text/ours             100	 5000 MB/s	   0 allocs/msg	 50 cpu-ns/msg	 90 ns/msg
BenchmarkYardstick/text/encoding_json    100	  650 MB/s	   2 allocs/msg	 390 cpu-ns/msg	 430 ns/msg
BenchmarkYardstick/event/ours            100	    9 MB/s	   0 allocs/msg	 100 cpu-ns/msg	 100 ns/msg
BenchmarkYardstick/event/encoding_json   100	    9 MB/s	   0 allocs/msg	 200 cpu-ns/msg	 200 ns/msg
BenchmarkOther/event/ours                100	    9 MB/s	   0 allocs/msg	 100 cpu-ns/msg	 100 ns/msg
PASS
`)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].name != "cwl/event" || got[1].name != "cwl/text" {
		t.Fatalf("pairs %+v", got)
	}
	text := got[1]
	if diff := cmp.Diff(sample{elapsed: 41, cpu: 40, allocs: 0, mbs: 6400}, text.ours.best(), cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("best of ours (-want +got):\n%s", diff)
	}
	if text.yardstick.name != "encoding_json" || text.ratio() != 40.0/390 {
		t.Errorf("ratio %v to %s", text.ratio(), text.yardstick.name)
	}
}

func TestBenchmarkThatIsNoPairIsAnError(t *testing.T) {
	const values = " 1 1 cpu-ns/msg 1 ns/msg\n"
	for output, want := range map[string]string{
		"BenchmarkYardstick/text/ours" + values:    "cwl/text has only one side",
		"BenchmarkYardstick/text/gzip" + values:    "cwl/text has only one side",
		"BenchmarkYardstick/text" + values:         "is not called <pair>/<side>",
		"BenchmarkYardstick/text/ours 1 7 ns/op\n": "reports no cpu-ns/msg",
		"BenchmarkYardstick/a/ours" + values + "BenchmarkYardstick/a/gzip" + values + "BenchmarkYardstick/a/zlib" + values: "cwl/a has two yardsticks, gzip and zlib",
	} {
		if _, err := pairs("cwl", output); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", output, err, want)
		}
	}
}

func TestTableHoldsTheMedianOfSeveralRuns(t *testing.T) {
	got := typical([][]pair{
		{measured("a", 50, 0), measured("b", 10, 0)},
		{measured("a", 90, 0), measured("b", 30, 0)},
		{measured("a", 60, 0), measured("b", 20, 0)},
	})
	if len(got) != 2 || got[0].name != "a" || got[0].ratio() != 0.6 || got[1].name != "b" || got[1].ratio() != 0.2 {
		t.Errorf("typical runs %+v, want 0.6 for a and 0.2 for b", got)
	}
}

func TestPatternSelectsPairsOfOnePackage(t *testing.T) {
	names := []string{"cwl/event", "syslog/scan", "cwl/text"}
	if p, ok := patternFor("cwl", names); !ok || p != "^BenchmarkYardstick$/^(event|text)$" {
		t.Errorf("pattern %q, %v", p, ok)
	}
	if p, ok := patternFor("upload", names); ok {
		t.Errorf("pattern %q for a package that none is of", p)
	}
	if p, ok := patternFor("upload", nil); !ok || p != "^BenchmarkYardstick$" {
		t.Errorf("pattern %q, %v for all pairs", p, ok)
	}
}

// The check would pass if it looked for nothing.
func TestEveryPackageWithAYardstickIsFound(t *testing.T) {
	dirs, err := declaring("../../..", "BenchmarkYardstick")
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Join(dirs, " ")
	for _, pkg := range []string{"syslog", "cwl", "listen", "journal", "batch", "upload"} {
		if !strings.Contains(found+" ", "/internal/"+pkg+" ") {
			t.Errorf("no BenchmarkYardstick of %s among %s", pkg, found)
		}
	}
	if _, err := declaring("../../..", "BenchmarkOfNothing"); err == nil {
		t.Error("no error where no package declares the benchmark")
	}
}

func TestSharedPieceIsReadByTheNumberOfCores(t *testing.T) {
	got := pieces("ledger", `
BenchmarkShared/receive          100	 40.0 ns/op	 45.0 cpu-ns/op
BenchmarkShared/receive-2        100	 80.0 ns/op	 160 cpu-ns/op
BenchmarkShared/receive-16       100	 160 ns/op	 900 cpu-ns/op
BenchmarkShared/receive          100	 30.0 ns/op	 50.0 cpu-ns/op
BenchmarkShared/own-shard        100	 7.0 ns/op	 7.0 cpu-ns/op
BenchmarkShared/own-shard-2      100	 3.5 ns/op	 7.1 cpu-ns/op
`)
	want := []piece{
		{"ledger/receive", map[int]sample{1: {elapsed: 30, cpu: 45}, 2: {elapsed: 80, cpu: 160}, 16: {elapsed: 160, cpu: 900}}},
		{"ledger/own-shard", map[int]sample{1: {elapsed: 7, cpu: 7}, 2: {elapsed: 3.5, cpu: 7.1}}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(piece{}, sample{})); diff != "" {
		t.Fatalf("pieces (-want +got):\n%s", diff)
	}
	var out strings.Builder
	if err := showShared(&out, got[1:], []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "2.00 x") {
		t.Errorf("twice as much on two cores is shown as\n%s", out.String())
	}
}
