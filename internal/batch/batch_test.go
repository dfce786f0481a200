package batch

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

// generation is a closed journal file, in memory.
type generation struct{ blocks []event.Block }

func (g *generation) Number() uint64 { return 1_700_000_000_000 }
func (g *generation) Relay() uint64  { return 42 }
func (g *generation) Shard() int     { return 3 }

func (g *generation) Blocks() iter.Seq2[int, event.Block] {
	return func(yield func(int, event.Block) bool) {
		for i, b := range g.blocks {
			if !yield(i, b) {
				return
			}
		}
	}
}

func (g *generation) At(offset int) event.Block { return g.blocks[offset] }

const received = 1_700_000_000_123_456

// add appends a block of texts of one sender.
func (g *generation) add(src *event.Source, texts ...string) {
	b := event.Block{Source: []byte(src.Key()), Received: received, Count: len(texts)}
	for _, earlier := range g.blocks {
		b.First += uint64(earlier.Count)
	}
	for _, t := range texts {
		b.Texts = event.AppendText(b.Texts, []byte(t))
	}
	g.blocks = append(g.blocks, b)
}

// kept are records as the spool would keep them.
type kept struct {
	records []event.Record
	err     error
}

func (k *kept) Append(r event.Record) error {
	r.Data = bytes.Clone(r.Data)
	k.records = append(k.records, r)
	return k.err
}

func converter(t testing.TB, change func(*Options)) *Converter {
	t.Helper()
	o := Options{
		GroupPrefix: "/kinesyslog", Owner: func() string { return "123456789012" }, Level: 6,
		Rules: Rules{Location: time.UTC}, Registerer: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&o)
	}
	m, err := NewMaker(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// document is the strictest reading of a record: no unknown keys, one member,
// nothing after it.
type document struct {
	MessageType         string   `json:"messageType"`
	Owner               string   `json:"owner"`
	LogGroup            string   `json:"logGroup"`
	LogStream           string   `json:"logStream"`
	SubscriptionFilters []string `json:"subscriptionFilters"`
	LogEvents           []struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	} `json:"logEvents"`
}

func decode(t testing.TB, data []byte) (d document) {
	t.Helper()
	in := bytes.NewReader(data)
	z, err := stdgzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if in.Len() > 0 {
		t.Fatalf("%d bytes follow the member", in.Len())
	}
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if dec.More() {
		t.Fatal("something follows the document")
	}
	lambda := events.CloudwatchLogsRawData{Data: base64.StdEncoding.EncodeToString(data)}
	parsed, err := lambda.Parse()
	if err != nil {
		t.Fatalf("AWS's own type does not take the record: %v", err)
	}
	if len(parsed.LogEvents) != len(d.LogEvents) || parsed.LogGroup != d.LogGroup || parsed.LogStream != d.LogStream || parsed.Owner != d.Owner {
		t.Fatalf("AWS's own type reads %+v", parsed)
	}
	return d
}

func TestEachSenderHasItsOwnDocumentWithAllItsMessagesInOrder(t *testing.T) {
	a := event.NewSource("tcp/514", "syslog", "514", "192.0.2.1")
	b := event.NewSource("udp/514", "syslog", "514", "192.0.2.1")
	v6 := event.NewSource("udp/514", "syslog", "514", "2001:db8::1")
	g := &generation{}
	g.add(a, "<13>1 2024-01-02T03:04:05.678Z h a - - - one", "<13>1 2024-01-02T03:04:06Z h a - - - two")
	g.add(b, "<13>1 2024-01-02T03:04:07Z h a - - - three")
	g.add(v6, "<13>1 2024-01-02T03:04:08Z h a - - - four")
	g.add(a, "<13>1 2024-01-02T03:04:09Z h a - - - five")
	var out kept
	if err := converter(t, nil).Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	type line struct{ listener, group, stream, text string }
	var got []line
	ids := map[string]bool{}
	for _, r := range out.records {
		d := decode(t, r.Data)
		if len(d.LogEvents) != r.Events || d.MessageType != "DATA_MESSAGE" || d.Owner != "123456789012" || !cmp.Equal(d.SubscriptionFilters, []string{d.LogGroup}) {
			t.Errorf("document %+v of a record with %d events", d, r.Events)
		}
		for _, e := range d.LogEvents {
			got = append(got, line{r.Listener, d.LogGroup, d.LogStream, e.Message[strings.LastIndex(e.Message, " ")+1:]})
			if len(e.ID) != 56 || ids[e.ID] {
				t.Errorf("event id %q", e.ID)
			}
			ids[e.ID] = true
		}
	}
	const group = "/kinesyslog/syslog/514"
	want := []line{
		{"tcp/514", group, "192.0.2.1", "one"},
		{"tcp/514", group, "192.0.2.1", "two"},
		{"tcp/514", group, "192.0.2.1", "five"},
		{"udp/514", group, "192.0.2.1", "three"},
		{"udp/514", group, "2001:db8::1", "four"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesKeepTheirTextAndTimeAndAreGivenAHeaderOnlyIfTheyHaveNone(t *testing.T) {
	src := event.NewSource("tcp/514", "syslog", "514", "192.0.2.7")
	own := time.Date(2024, 1, 2, 3, 4, 5, 678_000_000, time.UTC).UnixMilli()
	for _, c := range []struct {
		name, text, want string
		timestamp        int64
		bare             bool
	}{
		{"RFC 5424", "<13>1 2024-01-02T03:04:05.678Z h a - - - x", "<13>1 2024-01-02T03:04:05.678Z h a - - - x", own, false},
		{"PRI alone", "<13>x", "<13>x", received / 1000, false},
		{"nothing", "plain text", "<13>1 2023-11-14T22:13:20.123456Z 192.0.2.7 - - - - plain text", received / 1000, false},
		{"nothing, left bare", "plain text", "plain text", received / 1000, true},
		{"not UTF-8", "<13>a\xffb", `<13>a\xffb`, received / 1000, false},
		{"line feeds and NUL", "<13>a\nb\x00c", "<13>a\nb\x00c", received / 1000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &generation{}
			g.add(src, c.text)
			var out kept
			if err := converter(t, func(o *Options) { o.Rules.Bare = c.bare }).Convert(g, g, &out); err != nil {
				t.Fatal(err)
			}
			e := decode(t, out.records[0].Data).LogEvents[0]
			if e.Message != c.want || e.Timestamp != c.timestamp {
				t.Errorf("got %d %q\nwant %d %q", e.Timestamp, e.Message, c.timestamp, c.want)
			}
			if out.records[0].RawBytes != int64(len(c.text)) {
				t.Errorf("%d raw bytes are booked for %d", out.records[0].RawBytes, len(c.text))
			}
		})
	}
}

func TestReplayGivesTheSameRecords(t *testing.T) {
	g := lines(5000, 20)
	var first, again kept
	c := converter(t, nil)
	if err := errors.Join(c.Convert(g, g, &first), c.Convert(g, g, &again)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.records, again.records); diff != "" {
		t.Error("a generation that is converted again gives other records")
	}
}

func TestFullDocumentsAreClosedWithinTheLimits(t *testing.T) {
	g := lines(30_000, 1)
	var out kept
	if err := converter(t, nil).Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.records) < 3 {
		t.Fatalf("30,000 messages of 256 bytes are in %d records", len(out.records))
	}
	n := 0
	for _, r := range out.records {
		if len(r.Data) > 1_024_000 {
			t.Errorf("a record of %d bytes", len(r.Data))
		}
		n += len(decode(t, r.Data).LogEvents)
	}
	if n != 30_000 {
		t.Errorf("%d of 30,000 messages are in records", n)
	}
}

func TestFailingOutputStopsTheConversion(t *testing.T) {
	g := lines(10, 2)
	full := errors.New("disk full")
	if err := converter(t, nil).Convert(g, g, &kept{err: full}); !errors.Is(err, full) {
		t.Errorf("Convert returned %v", err)
	}
}

// lines makes a generation like a busy one: blocks of a socket read each.
func lines(n, senders int) *generation {
	g := &generation{}
	var sources []*event.Source
	for i := range senders {
		sources = append(sources, event.NewSource("tcp/514", "syslog", "514", fmt.Sprintf("192.0.2.%d", i)))
	}
	words := strings.Fields("accepted connection from upstream refused after attempts session opened for user root by uid request done took status")
	for at := 0; at < n; {
		b := event.Block{Source: []byte(sources[at/64%senders].Key()), Received: received + int64(at), First: uint64(at)}
		for ; b.Count < 64 && at < n; at++ {
			text := fmt.Appendf(nil, "<134>1 2024-01-02T03:04:%02d.%06dZ host-%d app %d - - ", at/1000%60, at%1000*1000, at%10, at*7919%32768)
			for k := uint32(at); len(text) < 250; k = k*31 + 7 {
				text = append(append(text, words[k%uint32(len(words))]...), ' ')
			}
			b.Texts = event.AppendText(b.Texts, fmt.Appendf(text, "%06d", at%1000000))
			b.Count++
		}
		g.blocks = append(g.blocks, b)
	}
	return g
}

// discard takes records and forgets them.
type discard struct{ bytes int64 }

func (d *discard) Append(r event.Record) error { d.bytes += int64(len(r.Data)); return nil }

func TestNoAllocationForAMessageOnItsWayIntoARecord(t *testing.T) {
	g := lines(20_000, 4)
	c := converter(t, nil)
	var out discard
	run := func() {
		if err := c.Convert(g, g, &out); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if got := testing.AllocsPerRun(3, run); got > 200 {
		t.Errorf("%v allocations for 20,000 messages of 4 senders", got)
	}
}
