package explain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"kinesyslog/internal/batch"
)

// corpusCase is a line of dev.jsonl.
type corpusCase struct {
	ID, Class string
	Raw       *string
	RawB64    []byte `json:"raw_b64"`
	Expect    map[string]any
}

func (c *corpusCase) message() []byte {
	if c.Raw != nil {
		return []byte(*c.Raw)
	}
	return c.RawB64
}

// corpus reads dev.jsonl, which lies beside the repository.
func corpus(tb testing.TB) []corpusCase {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			tb.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	file, err := os.Open(filepath.Join(dir, "..", "shared", "corpus", "dev.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skip("NOT TESTED: the corpus of real messages (../shared/corpus/dev.jsonl) is not beside this repository")
	}
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	var cases []corpusCase
	for d := json.NewDecoder(file); d.More(); {
		var c corpusCase
		if err := d.Decode(&c); err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// octetFrames are all messages as one stream.
func octetFrames(cases []corpusCase) *bufio.Reader {
	var stream bytes.Buffer
	for i := range cases {
		fmt.Fprintf(&stream, "%d %s", len(cases[i].message()), cases[i].message())
	}
	return bufio.NewReader(&stream)
}

// wanted returns what is asserted of a field: any of these, nil for "must not
// be found".
func (c *corpusCase) wanted(field string) (values []any, asserted bool) {
	names := []string{field}
	if field == "timestamp" {
		names = []string{"timestamp_rfc3339", "timestamp_no_year"}
	}
	for _, name := range names {
		if v, ok := c.Expect[name]; ok {
			values, asserted = append(values, v), true
		}
	}
	more, _ := c.Expect[field+"_any"].([]any)
	return append(values, more...), asserted
}

// agrees compares a field as explain tells it. What the header does not say and
// the text does is no miss: the corpus asserts headers.
func (c *corpusCase) agrees(field string, got map[string]any, want []any) bool {
	value := got[field]
	switch field {
	case "timestamp":
		if got["timestamp_source"] == "body" {
			value = nil
		}
		return slices.ContainsFunc(want, func(w any) bool { return c.sameTime(value, w) })
	case "hostname":
		if slices.Contains(got["notes"].([]any), any("the host is from the text")) {
			value = nil
		}
	}
	return slices.ContainsFunc(want, func(w any) bool { return reflect.DeepEqual(value, w) })
}

// sameTime compares to the second: the instant if the zone is known, else the
// wall clock, and month, day and clock if no year was sent.
func (c *corpusCase) sameTime(got, want any) bool {
	if got == nil || want == nil {
		return got == want
	}
	g, err := time.Parse(time.RFC3339Nano, got.(string))
	if err != nil {
		return false
	}
	text := want.(string)
	if w, err := time.Parse(time.RFC3339Nano, text); err == nil {
		if c.Expect["timestamp_zone_known"] == true {
			return g.Truncate(time.Second).Equal(w.Truncate(time.Second))
		}
		return g.Format(time.DateTime) == w.Format(time.DateTime)
	}
	text, _, _ = strings.Cut(text, ".")
	return g.Format(time.Stamp) == text
}

var corpusFields = []string{
	"timestamp", "hostname", "pri", "facility", "severity", "appname", "procid", "msgid", "structured_data", "message", "frame", "format", "payload",
}

func TestExplainAgreesWithTheCorpus(t *testing.T) {
	cases := corpus(t)
	e := New(batch.Rules{Location: time.UTC}, "/kinesyslog")
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	type tally struct{ right, asked int }
	table := map[string]map[string]tally{}
	count := func(class, field string, right bool) {
		for _, row := range []string{class, "all"} {
			if table[row] == nil {
				table[row] = map[string]tally{}
			}
			n := table[row][field]
			n.asked++
			if right {
				n.right++
			}
			table[row][field] = n
		}
	}
	i := 0
	for message, err := range Frames(octetFrames(cases), Octet) {
		if err != nil {
			t.Fatal(err)
		}
		c := &cases[i]
		i++
		line := e.Explain(message, Sender{Address: "192.0.2.1", Port: "514"}, received).AppendJSON(nil)
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s: %v in %s", c.ID, err, line)
		}
		both := true
		for _, field := range corpusFields {
			want, asserted := c.wanted(field)
			if !asserted {
				continue
			}
			right := c.agrees(field, got, want)
			count(c.Class, field, right)
			if field == "timestamp" || field == "hostname" {
				both = both && right
			}
			if !right {
				t.Logf("%s, %s: got %v, want %v\n\t%.160q", c.ID, field, got[field], want, message)
			}
		}
		count(c.Class, "both", both)
	}
	if i != len(cases) {
		t.Fatalf("%d messages of %d came out of the stream", i, len(cases))
	}
	columns := append([]string{"both"}, corpusFields...)
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "class\t"+strings.Join(columns, "\t"))
	for _, row := range sortedRows(table) {
		fmt.Fprint(w, row)
		for _, field := range columns {
			if n := table[row][field]; n.asked > 0 {
				fmt.Fprintf(w, "\t%d/%d", n.right, n.asked)
			} else {
				fmt.Fprint(w, "\t-")
			}
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	t.Log("time and host both, then each field, right of those asserted:\n" + out.String())
	for _, field := range columns {
		least := 0.98
		if field == "both" {
			least = 0.99
		}
		if n := table["all"][field]; float64(n.right) < least*float64(n.asked) {
			t.Errorf("%s: %d of %d right, want %.0f %%", field, n.right, n.asked, least*100)
		}
	}
}

// sortedRows are the classes, and "all" behind them.
func sortedRows[V any](table map[string]V) (rows []string) {
	for class := range table {
		if class != "all" {
			rows = append(rows, class)
		}
	}
	slices.Sort(rows)
	return append(rows, "all")
}
