package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
)

func byListener(o *Options) { o.Rules.StreamOf = func(listener, _ string) string { return listener } }

func TestSendersThatShareALogStreamShareDocumentsInTheOrderOfArrival(t *testing.T) {
	udp := func(address string) *event.Source { return event.NewSource("udp/514", "syslog", "514", address) }
	g := &generation{}
	g.add(udp("192.0.2.1"), "<13>1 2024-01-02T03:04:05Z fw1 a - - - 0", "<13>1 2024-01-02T03:04:05Z fw1 a - - - 1")
	g.add(udp("192.0.2.2"), "<13>1 2024-01-02T03:04:05Z fw2 a - - - 2")
	g.add(event.NewSource("udp/514", "gelf", "514", "192.0.2.2"), `{"host":"fw2","short_message":"3"}`)
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.2"), "<13>1 2024-01-02T03:04:05Z fw2 a - - - 4")
	g.add(udp("192.0.2.1"), "<13>1 2024-01-02T03:04:05Z fw1 a - - - 5")
	g.add(udp("198.51.100.1"), "<13>1 2024-01-02T03:04:05Z fw3 a - - - 6")
	byNetwork := func(o *Options) {
		o.Rules.StreamOf = func(_, address string) string { return address[:strings.LastIndex(address, ".")] + ".0/24" }
	}
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   []string // listener, log group, log stream, sequence numbers
	}{
		{"listener", byListener, []string{
			"udp/514 /kinesyslog/syslog/514 udp/514 0,1,2,5,6",
			"udp/514 /kinesyslog/gelf/514 udp/514 3",
			"tcp/514 /kinesyslog/syslog/514 tcp/514 4",
		}},
		{"network", byNetwork, []string{
			"udp/514 /kinesyslog/syslog/514 192.0.2.0/24 0,1,2,5",
			"udp/514 /kinesyslog/gelf/514 192.0.2.0/24 3",
			"tcp/514 /kinesyslog/syslog/514 192.0.2.0/24 4",
			"udp/514 /kinesyslog/syslog/514 198.51.100.0/24 6",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out kept
			conv := converter(t, c.change)
			for range 2 { // nothing is left over of an earlier generation
				out.records = nil
				if err := conv.Convert(g, g, &out); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, r := range out.records {
				d := decode(t, r.Data)
				var ids []string
				for _, e := range d.LogEvents {
					ids = append(ids, e.ID[55:])
				}
				if r.Events != len(d.LogEvents) {
					t.Errorf("%d events are said to be %d", len(d.LogEvents), r.Events)
				}
				got = append(got, r.Listener+" "+d.LogGroup+" "+d.LogStream+" "+strings.Join(ids, ","))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestASharedLogStreamChangesNoIdTimeOrTextOfMessagesThatNameTheirHost(t *testing.T) {
	g := lines(5000, 40)
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
	if d := cmp.Diff(events(nil), events(byListener)); d != "" {
		t.Error(d)
	}
}

// What the log stream does not say any more must stand in the message, or else
// nobody knows who sent it.
func TestInASharedLogStreamAMessageThatNamesNoHostBearsItsSendersAddress(t *testing.T) {
	const given = "1 2023-11-14T22:13:20.123456Z 192.0.2."
	for _, c := range []struct{ text, want string }{
		{"<34>1 2023-11-14T22:13:20.123456Z fw1 a - - - x", "<34>1 2023-11-14T22:13:20.123456Z fw1 a - - - x"},
		{"<34>Nov 14 22:13:20 fw1 app: x", "<34>Nov 14 22:13:20 fw1 app: x"},
		{"<34>1 2023-11-14T22:13:20.123456Z - a - - - x", "<34>" + given + "# - - - - <34>1 2023-11-14T22:13:20.123456Z - a - - - x"},
		{"<189>17: %SYS-5-CONFIG_I: x", "<189>" + given + "# - - - - <189>17: %SYS-5-CONFIG_I: x"},
		{"<0>x", "<0>" + given + "# - - - - <0>x"},
		{"x", "<13>" + given + "# - - - - x"},
	} {
		g := &generation{}
		var want []string
		for _, last := range []string{"1", "2", "1"} {
			g.add(event.NewSource("udp/514", "syslog", "514", "192.0.2."+last), c.text)
			want = append(want, strings.ReplaceAll(c.want, "#", last))
		}
		var out kept
		if err := converter(t, byListener).Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range decode(t, out.records[0].Data).LogEvents {
			got = append(got, e.Message)
		}
		if d := cmp.Diff(want, got); d != "" || len(out.records) != 1 {
			t.Errorf("%d records, %s", len(out.records), d)
		}
	}
}

func TestInASharedLogStreamSamplesNameTheirOwnSender(t *testing.T) {
	g := &generation{}
	for i := range 4 {
		g.add(event.NewSource("udp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", i)), "x")
	}
	c := converter(t, byListener)
	var out kept
	if err := c.Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	c.Publish()
	seen := map[string]bool{}
	for _, s := range c.evidence.list() {
		seen[s.Source.Address] = true
	}
	if len(seen) != 4 {
		t.Errorf("samples are of %v", seen)
	}
}

// interleaved are messages of many senders as UDP brings them: one of each in
// turn, each a block of its own.
func interleaved(n, senders int) *generation {
	g := &generation{}
	var sources []*event.Source
	for i := range senders {
		sources = append(sources, event.NewSource("udp/514", "syslog", "514", fmt.Sprintf("10.0.%d.%d", i/250, i%250)))
	}
	from := lines(n, 1)
	i := 0
	for _, b := range from.blocks {
		for seq, text := range b.All() {
			g.blocks = append(g.blocks, event.Block{
				Source: []byte(sources[i%senders].Key()), Received: received, First: seq, Count: 1, Texts: event.AppendText(nil, text),
			})
			i++
		}
	}
	return g
}

func TestNoAllocationForAMessageInASharedLogStream(t *testing.T) {
	g := interleaved(20_000, 50)
	c := converter(t, byListener)
	var out discard
	run := func() {
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if got := testing.AllocsPerRun(3, run); got > 600 { // some for each of 50 senders
		t.Errorf("%v allocations for 20,000 messages of 50 senders", got)
	}
}

// BenchmarkConvertManySenders compares 2,000 senders with 30 messages each, as
// they come over UDP, under the names that log streams may have.
func BenchmarkConvertManySenders(b *testing.B) {
	const n = 60_000
	g := interleaved(n, 2000)
	for name, change := range map[string]func(*Options){"by=address": nil, "by=listener": byListener} {
		b.Run(name, func(b *testing.B) {
			c := converter(b, change)
			var out discard
			for b.Loop() {
				out.bytes = 0
				if err := c.Convert(g, g, &out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/message")
			b.ReportMetric(float64(out.bytes)/n, "bytes/message")
		})
	}
}
