package batch

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

// puzzled is a Maker with a Converter of it.
func puzzled(t testing.TB) (*Maker, *Converter, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := NewMaker(Options{GroupPrefix: "/k", Owner: func() string { return "000000000000" }, Level: 1, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.New()
	if err != nil {
		t.Fatal(err)
	}
	return m, c, registry
}

// notUnderstood are the counters by reason; all reasons are exported from the
// start.
func notUnderstood(t testing.TB, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "kinesyslog_messages_not_understood_total" {
			continue
		}
		for _, m := range f.Metric {
			counts[m.Label[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if len(counts) != 9 {
		t.Errorf("%d reasons are exported", len(counts))
	}
	maps.DeleteFunc(counts, func(_ string, n float64) bool { return n == 0 })
	return counts
}

func TestWhatIsNotUnderstoodIsCountedOnceItIsSafe(t *testing.T) {
	_, c, registry := puzzled(t)
	g := &generation{}
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.1"), "plain", "<13>no time \xff", "<13>1 2024-01-02T03:04:05Z h a - - - fine")
	g.add(event.NewSource("tcp/514", "gelf", "514", "192.0.2.1"), `{"short_message":"cut`)
	var out kept
	for range 2 { // as after a disk that was full
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	if got := notUnderstood(t, registry); len(got) != 0 {
		t.Errorf("counted before it is safe: %v", got)
	}
	c.Publish()
	c.Publish() // nothing is left to publish
	want := map[string]float64{"no_header": 1, "no_time": 1, "invalid_utf8": 1, "malformed_gelf": 1}
	if diff := cmp.Diff(want, notUnderstood(t, registry)); diff != "" {
		t.Error(diff)
	}
}

func TestTheLastFewSamplesOfEachReasonAreKept(t *testing.T) {
	m, c, _ := puzzled(t)
	long := "long " + strings.Repeat("x", 1000)
	for round := range 3 {
		g := &generation{}
		for sender := range 2 {
			src := event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", sender))
			g.add(src, fmt.Sprintf("round %d", round), "<13>1 2024-01-02T03:04:05Z h a - - - fine", long)
		}
		if err := c.Convert(g, g, &kept{}); err != nil {
			t.Fatal(err)
		}
		c.Publish()
	}
	got := m.Samples()
	var texts []string
	for _, s := range got {
		texts = append(texts, fmt.Sprintf("%s %s %.7s", s.Reason, s.Source.Address, s.Text))
		if s.Received != received || strings.HasPrefix(string(s.Text), "long") && (len(s.Text) != 512 || s.Bytes != len(long)) {
			t.Errorf("sample of %d bytes with %d, received %d", s.Bytes, len(s.Text), s.Received)
		}
	}
	want := []string{
		"no_header 192.0.2.1 long xx", "no_header 192.0.2.1 round 2", "no_header 192.0.2.0 long xx", "no_header 192.0.2.0 round 2",
		"no_header 192.0.2.1 long xx",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
}

func TestANoisySenderHidesNoOther(t *testing.T) {
	m, c, registry := puzzled(t)
	g := &generation{}
	noise := make([]string, 1000)
	for i := range noise {
		noise[i] = fmt.Sprintf("noise %d", i)
	}
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.1"), noise...)
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.2"), "quiet")
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.3"), noise...)
	if err := c.Convert(g, g, &kept{}); err != nil {
		t.Fatal(err)
	}
	c.Publish()
	senders := map[string]int{}
	for _, s := range m.Samples() {
		senders[s.Source.Address]++
	}
	if diff := cmp.Diff(map[string]int{"192.0.2.1": 3, "192.0.2.2": 1, "192.0.2.3": 1}, senders); diff != "" {
		t.Error(diff)
	}
	if got := notUnderstood(t, registry)["no_header"]; got != 2001 {
		t.Errorf("%v are counted of 2001", got)
	}
}

func TestMuchThatIsNotUnderstoodCostsNoAllocations(t *testing.T) {
	_, c, _ := puzzled(t)
	g := &generation{}
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = "nothing of this is understood"
	}
	for i := range 20 {
		g.add(event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", i)), texts...)
	}
	var out discard
	run := func() {
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if got := testing.AllocsPerRun(3, run); got > 500 {
		t.Errorf("%v allocations for 20,000 messages of 20 senders", got)
	}
}
