package batch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

func TestTheGzipLevelIsAskedForAtTheBeginningOfEachRecord(t *testing.T) {
	registry := prometheus.NewRegistry()
	levels := []int{1, 9, 6}
	asked := 0
	c := converter(t, func(o *Options) {
		o.Registerer = registry
		o.Levels = func() int { asked++; return levels[(asked-1)%len(levels)] }
	})
	text := strings.Repeat("one and the same text of many messages, ", 50)
	g := new(generation)
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"} {
		g.add(event.NewSource("udp/514", "syslog", "514", address), "<13>"+text, "<14>"+text, "<15>"+text)
	}
	var out kept
	if err := c.Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	records := out.records
	if len(records) != 4 || asked != 4 {
		t.Fatalf("%d records, and the level was asked for %d times; want 4 and 4", len(records), asked)
	}
	// Texts and sizes differ in nothing but the address, so that the levels show.
	if fast, small := len(records[0].Data), len(records[1].Data); small >= fast {
		t.Errorf("%d bytes at level 9, %d at level 1", small, fast)
	}
	if diff := cmp.Diff(map[string]float64{"1": 2, "6": 1, "9": 1}, recordsByLevel(t, registry)); diff != "" {
		t.Errorf("records by level (-want +got):\n%s", diff)
	}
}

func recordsByLevel(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "kinesyslog_batch_records_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if v := m.GetCounter().GetValue(); v != 0 {
				out[m.GetLabel()[0].GetValue()] = v
			}
		}
	}
	return out
}

func TestALevelThatGzipDoesNotHaveIsAnError(t *testing.T) {
	c := converter(t, func(o *Options) { o.Levels = func() int { return 10 } })
	g := new(generation)
	g.add(event.NewSource("udp/514", "syslog", "514", "192.0.2.1"), "<13>text")
	if err := c.Convert(g, g, new(kept)); err == nil || !strings.Contains(err.Error(), "level 10") {
		t.Errorf("got %v, want an error that names the level", err)
	}
}
