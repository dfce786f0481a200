package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

func byHost(o *Options) { o.Rules.ByHost = true }

func TestLogStreamsAreNamedAfterTheHostsOfMessages(t *testing.T) {
	a := event.NewSource("tcp/514", "syslog", "514", "192.0.2.1")
	b := event.NewSource("tcp/514", "syslog", "514", "2001:db8::1")
	g := &generation{}
	g.add(a, "<13>1 2024-01-02T03:04:05Z fw1 a - - - one", "<13>1 2024-01-02T03:04:05Z fw2 a - - - two", "nameless three")
	g.add(b, "<13>1 2024-01-02T03:04:05Z fw1 a - - - four", "<13>1 2024-01-02T03:04:05Z - a - - - five")
	g.add(a, "<13>Jan  2 03:04:05 fw2 app: six", "<13>1 2024-01-02T03:04:05Z fw1 a - - - seven", "<13>1 2024-01-02T03:04:05Z x:*y a - - - eight")
	g.add(event.NewSource("udp/12201", "gelf", "12201", "192.0.2.3"),
		`{"host":"web","short_message":"nine"}`, `{"short_message":"ten"}`, `{"host":"\u0077eb2","short_message":"eleven"}`)
	want := map[string]bool{ // log group, log stream, sequence numbers
		"/kinesyslog/syslog/514 fw1 0,6":       true,
		"/kinesyslog/syslog/514 fw2 1,5":       true,
		"/kinesyslog/syslog/514 192.0.2.1 2":   true,
		"/kinesyslog/syslog/514 x__y 7":        true,
		"/kinesyslog/syslog/514 fw1 3":         true,
		"/kinesyslog/syslog/514 2001:db8::1 4": true,
		"/kinesyslog/gelf/12201 web 8":         true,
		"/kinesyslog/gelf/12201 192.0.2.3 9":   true,
		"/kinesyslog/gelf/12201 web2 10":       true,
	}
	var out kept
	c := converter(t, byHost)
	for range 2 { // nothing is left over of an earlier generation
		out.records = nil
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]bool{}
	for _, r := range out.records {
		d := decode(t, r.Data)
		var ids []string
		for _, e := range d.LogEvents {
			ids = append(ids, strings.TrimLeft(e.ID[36:55], "0")+e.ID[55:])
		}
		if r.Events != len(d.LogEvents) {
			t.Errorf("%d events are said to be %d", len(d.LogEvents), r.Events)
		}
		got[d.LogGroup+" "+d.LogStream+" "+strings.Join(ids, ",")] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestByHostChangesOnlyTheLogStream(t *testing.T) {
	g := &generation{}
	for i := range 20 {
		src := event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", i%2))
		g.add(src, fmt.Sprintf("<13>1 2024-01-02T03:04:05Z h%d a - - - %d", i%3, i), fmt.Sprintf("bare %d", i))
	}
	events := func(change func(*Options)) (all []string) {
		var out kept
		if err := converter(t, change).Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.records {
			for _, e := range decode(t, r.Data).LogEvents {
				all = append(all, fmt.Sprint(e.ID, e.Timestamp, e.Message))
			}
		}
		slices.Sort(all)
		return all
	}
	if d := cmp.Diff(events(nil), events(byHost)); d != "" {
		t.Error(d)
	}
}

func TestMoreHostsThanAreBoundedGoToTheAddress(t *testing.T) {
	g := &generation{}
	src := event.NewSource("tcp/514", "syslog", "514", "192.0.2.1")
	const many = maxHosts + 5
	texts := make([]string, 0, 2*many)
	for i := range 2 * many { // the names that are known stay so
		texts = append(texts, fmt.Sprintf("<13>1 2024-01-02T03:04:05Z h%d a - - - x", i%many))
	}
	g.add(src, texts...)
	registry := prometheus.NewRegistry()
	c := converter(t, func(o *Options) { o.Rules.ByHost, o.Registerer, o.Level = true, registry, 1 })
	var out kept
	if err := c.Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	c.Publish()
	if len(out.records) != maxHosts+1 {
		t.Errorf("%d records", len(out.records))
	}
	if d := decode(t, out.records[0].Data); d.LogStream != "192.0.2.1" || len(d.LogEvents) != 10 {
		t.Errorf("%d events in the log stream %s", len(d.LogEvents), d.LogStream)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := -1.0
	for _, f := range families {
		if f.GetName() == "kinesyslog_batch_hosts_over_limit_total" {
			counted = f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	if counted != 10 {
		t.Errorf("%v are counted", counted)
	}
}

func TestManyMessagesAreSortedPartByPart(t *testing.T) {
	g := lines(5000, 1)
	c := converter(t, byHost)
	c.hosts.most = 1000
	var out counted
	if err := c.Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	// A block goes on to its end: 1,024 messages of 10 hosts at a time.
	if out.events != 5000 || out.records != 50 || cap(c.hosts.placed) > 2048 {
		t.Errorf("%d events in %d records, room for %d", out.events, out.records, cap(c.hosts.placed))
	}
}

// counted counts what comes.
type counted struct{ events, records int }

func (c *counted) Append(r event.Record) error {
	c.events += r.Events
	c.records++
	return nil
}

func TestNoAllocationForAMessageByHost(t *testing.T) {
	g := lines(20_000, 4)
	c := converter(t, byHost)
	var out discard
	run := func() {
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if got := testing.AllocsPerRun(3, run); got > 600 { // some for each of 40 documents
		t.Errorf("%v allocations for 20,000 messages of 4 senders with 10 hosts", got)
	}
}

func TestALogStreamThatTheListenerHasChosenIsKept(t *testing.T) {
	noted := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.1").Named("192.0.2.1/hostname-not-of-fw1")
	plain := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.1")
	g := &generation{}
	g.add(noted, "<13>1 2024-01-02T03:04:05Z fw2 a - - - one")
	g.add(plain, "<13>1 2024-01-02T03:04:05Z fw1 a - - - two")
	for name, c := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"by host":   {byHost, []string{"192.0.2.1/hostname-not-of-fw1", "fw1"}},
		"shared":    {byListener, []string{"192.0.2.1/hostname-not-of-fw1", "tls/6514"}},
		"by itself": {func(*Options) {}, []string{"192.0.2.1/hostname-not-of-fw1", "192.0.2.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out kept
			if err := converter(t, c.change).Convert(g, g, &out); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range out.records {
				got = append(got, decode(t, r.Data).LogStream)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
