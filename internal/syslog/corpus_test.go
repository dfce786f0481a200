package syslog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"
)

// headerCase is a line of dev.jsonl.
type headerCase struct {
	ID, Class, Vendor string
	Raw               *string
	RawB64            []byte `json:"raw_b64"`
	Expect            map[string]json.RawMessage
}

func (c *headerCase) message() []byte {
	if c.Raw != nil {
		return []byte(*c.Raw)
	}
	return c.RawB64
}

// corpusNow is when the corpus is received: times without a year are then in
// the year around it.
var corpusNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// headerCorpus reads dev.jsonl, which lies beside the repository.
func headerCorpus(tb testing.TB) []headerCase {
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
	var cases []headerCase
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var c headerCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil || len(cases) == 0 {
		tb.Fatalf("corpus: %d cases, %v", len(cases), err)
	}
	return cases
}

// text returns an expectation that is a string, or "" for null.
func (c *headerCase) text(field string) (want string, asserted bool) {
	raw, ok := c.Expect[field]
	if !ok {
		return "", false
	}
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", true
	}
	return *s, true
}

// any returns an expectation that is a list; null in it becomes "".
func (c *headerCase) any(field string) []string {
	var list []*string
	_ = json.Unmarshal(c.Expect[field], &list)
	var out []string
	for _, s := range list {
		if s == nil {
			out = append(out, "")
		} else {
			out = append(out, *s)
		}
	}
	return out
}

// sameTime compares what was found with RFC 3339, or with "Oct 11 22:14:15" for
// a time without a year. Unless the zone is known the wall clock counts.
func sameTime(got, want string, zoneKnown bool) bool {
	if got == "" || want == "" {
		return got == want
	}
	g, err := time.Parse(time.RFC3339Nano, got)
	if err != nil {
		return false
	}
	if w, err := time.Parse(time.RFC3339Nano, want); err == nil {
		if zoneKnown {
			return g.Equal(w)
		}
		const wall = "2006-01-02T15:04:05.000000000"
		return g.Format(wall) == w.Format(wall)
	}
	digits := ""
	if dot := strings.IndexByte(want, '.'); dot > 0 {
		digits = strings.Repeat("0", len(want)-dot-1)
	}
	layout := "Jan _2 15:04:05"
	if digits != "" {
		layout += "." + digits
	}
	return g.Format(layout) == want
}

// misses compares a message with what the corpus expects, by field.
func (c *headerCase) misses(m *Message) map[string]string {
	out := map[string]string{}
	miss := func(field, got, want string) { out[field] = fmt.Sprintf("got %q, want %q", got, want) }

	header := m.Timestamp
	if m.TimestampSource != Header {
		header = ""
	}
	want, asserted := c.text("timestamp_rfc3339")
	if !asserted {
		want, asserted = c.text("timestamp_no_year")
	}
	if asserted {
		ok := sameTime(header, want, m.TimestampZoneKnown)
		for _, w := range c.any("timestamp_any") {
			ok = ok || sameTime(header, w, m.TimestampZoneKnown)
		}
		if !ok {
			miss("timestamp", header, want)
		}
	}
	if raw, ok := c.Expect["timestamp_zone_known"]; ok && m.TimestampSource == Header && string(raw) != fmt.Sprint(m.TimestampZoneKnown) {
		miss("zone_known", fmt.Sprint(m.TimestampZoneKnown), string(raw))
	}
	if want, ok := c.text("body_timestamp_rfc3339"); ok && m.TimestampSource != Header {
		if !sameTime(m.Timestamp, want, m.TimestampZoneKnown) {
			miss("body_timestamp", m.Timestamp, want)
		}
	}
	host := m.Hostname
	if m.HostInBody {
		host = ""
	}
	if want, ok := c.text("body_hostname"); ok && host == "" && m.Hostname != want {
		miss("body_hostname", m.Hostname, want)
	}
	if want, ok := c.text("hostname"); ok && host != want && !slices.Contains(c.any("hostname_any"), host) {
		miss("hostname", host, want)
	}
	if raw, ok := c.Expect["pri"]; ok {
		got := "null"
		if m.Scan.HasPRI {
			got = fmt.Sprint(m.Scan.PRI)
		}
		if string(raw) != got {
			miss("pri", got, string(raw))
		}
	}
	for field, got := range map[string]string{
		"appname": m.AppName, "procid": m.ProcID, "msgid": m.MsgID, "message": m.Text,
		"frame": m.Frame.String(), "format": m.Format, "payload": m.Payload,
	} {
		if want, ok := c.text(field); ok && got != want && !slices.Contains(c.any(field+"_any"), got) {
			miss(field, got, want)
		}
	}
	if raw, ok := c.Expect["structured_data"]; ok {
		var want any
		_ = json.Unmarshal(raw, &want)
		text, _ := json.Marshal(m.StructuredData())
		var got any
		_ = json.Unmarshal(text, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			out["structured_data"] = diff
		}
	}
	return out
}

// asserts tells whether the case says anything about a field.
func (c *headerCase) asserts(field string) bool {
	switch field {
	case "timestamp":
		_, a := c.Expect["timestamp_rfc3339"]
		_, b := c.Expect["timestamp_no_year"]
		return a || b
	case "zone_known":
		field = "timestamp_zone_known"
	case "body_timestamp":
		field = "body_timestamp_rfc3339"
	}
	_, ok := c.Expect[field]
	return ok
}

var corpusFields = []string{
	"timestamp", "hostname", "pri", "appname", "procid", "msgid", "structured_data", "message", "frame", "format",
	"payload", "zone_known", "body_timestamp", "body_hostname",
}

func TestRealMessagesAreUnderstood(t *testing.T) {
	cases := headerCorpus(t)
	right, asked := map[string]map[string]int{}, map[string]map[string]int{}
	count := func(m map[string]map[string]int, class, field string) {
		for _, c := range []string{class, "all"} {
			if m[c] == nil {
				m[c] = map[string]int{}
			}
			m[c][field]++
		}
	}
	scanner := Scanner{Location: time.UTC}
	for i := range cases {
		c := &cases[i]
		m := scanner.Parse(c.message(), corpusNow.UnixMicro())
		misses := c.misses(&m)
		for _, field := range corpusFields {
			if !c.asserts(field) {
				continue
			}
			count(asked, c.Class, field)
			if why, ok := misses[field]; ok {
				t.Logf("%s %s, %s: %s\n\t%.160q", c.ID, c.Vendor, field, why, c.message())
			} else {
				count(right, c.Class, field)
			}
		}
		count(asked, c.Class, "both")
		if misses["timestamp"] == "" && misses["hostname"] == "" {
			count(right, c.Class, "both")
		}
	}
	logTable(t, right, asked)
	for field, least := range map[string]float64{
		"both": 0.99, "pri": 0.98, "appname": 0.98, "procid": 0.98, "msgid": 0.98, "structured_data": 0.98, "message": 0.98,
		"frame": 0.98, "format": 0.98, "payload": 0.98, "body_timestamp": 0.95, "body_hostname": 0.95,
	} {
		if r, n := right["all"][field], asked["all"][field]; float64(r) < least*float64(n) {
			t.Errorf("%s: %d of %d right, want %.0f %%", field, r, n, least*100)
		}
	}
}

func logTable(t *testing.T, right, asked map[string]map[string]int) {
	t.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fields := append([]string{"both"}, corpusFields...)
	fmt.Fprintln(w, "class\t"+strings.Join(fields, "\t"))
	var classes []string
	for class := range asked {
		if class != "all" {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	for _, class := range append(classes, "all") {
		fmt.Fprint(w, class)
		for _, f := range fields {
			if n := asked[class][f]; n == 0 {
				fmt.Fprint(w, "\t-")
			} else {
				fmt.Fprintf(w, "\t%d/%d", right[class][f], n)
			}
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	t.Log("time and host both, then each field, right of those asserted:\n" + out.String())
}
