package explain

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests do not depend on the machine's zones
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/batch"
	"kinesyslog/internal/cwl"
	"kinesyslog/internal/event"
)

// receipt is when the messages of the tests are received.
var receipt = time.Date(2026, 2, 12, 6, 26, 0, 0, time.UTC)

// relayRules are those of a relay with its defaults, in UTC.
func relayRules() batch.Rules {
	return batch.Rules{Location: time.UTC, MaxPast: 30 * 24 * time.Hour, MaxFuture: 24 * time.Hour}
}

// messages are those of package syslog's tests, and some GELF.
func messages(tb testing.TB) [][]byte {
	tb.Helper()
	text, err := os.ReadFile("../syslog/testdata/messages.txt")
	if err != nil {
		tb.Fatal(err)
	}
	all := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for _, m := range []string{
		`{"version":"1.1","host":"a\u0062c","short_message":"b","timestamp":1770848055.5}`,
		`{"version":"1.1","host":"h","short_message":"b","timestamp":1}`,
		`{"version":"1.1","host":"h","short_message":"b`,
		"<13>\xff\xfe", "", "<34>Feb 11 2020 22:14:15 host app: long ago", "\x1e\x0f12345678\x00\x02part",
	} {
		all = append(all, []byte(m))
	}
	return all
}

// generation is one block of messages, for batch.Converter.
type generation struct{ block event.Block }

func (g *generation) Number() uint64 { return 1 }
func (g *generation) Relay() uint64  { return 1 }
func (g *generation) Shard() int     { return 0 }

func (g *generation) Blocks() iter.Seq2[int, event.Block] {
	return func(yield func(int, event.Block) bool) { yield(0, g.block) }
}

func (g *generation) At(int) event.Block { return g.block }

type records struct{ bytes.Buffer }

func (r *records) Append(rec event.Record) error {
	_, err := r.Write(rec.Data)
	return err
}

// delivered is what a relay makes of a message.
func delivered(t *testing.T, message []byte, format string) (*cwl.Document, error) {
	t.Helper()
	m, err := batch.NewMaker(batch.Options{
		GroupPrefix: "/kinesyslog", Owner: func() string { return "000000000000" }, Level: 1, Rules: relayRules(),
		Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.New()
	if err != nil {
		t.Fatal(err)
	}
	g := &generation{event.Block{
		Source:   []byte(event.NewSource("udp/514", format, "514", "192.0.2.7").Key()),
		Received: receipt.UnixMicro(), Count: 1, Texts: event.AppendText(nil, message),
	}}
	var out records
	if err := c.Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	return cwl.NewDecoder(&out.Buffer).Next()
}

func TestExplainSaysWhatTheRelayDelivers(t *testing.T) {
	e := New(relayRules(), "/kinesyslog")
	for _, message := range messages(t) {
		x := e.Explain(message, Sender{Address: "192.0.2.7", Port: "514"}, receipt)
		d, err := delivered(t, message, x.Source.Format)
		if err != nil {
			t.Fatal(err)
		}
		text := string(cwl.AppendText(nil, slices.Concat(x.Header, x.Text)))
		want := d.LogEvents[0]
		asJSON, _ := json.Marshal(want.Message)
		if x.Event/1000 != want.Timestamp || x.Group != d.LogGroup || unquoted(t, text) != want.Message {
			t.Errorf("%q:\n explained as %s, %d, %s\n delivered as %s, %d, %s", message, x.Group, x.Event/1000, text, d.LogGroup, want.Timestamp, asJSON)
		}
	}
}

// unquoted reads the inside of a JSON string.
func unquoted(t *testing.T, s string) (text string) {
	t.Helper()
	if err := json.Unmarshal([]byte(`"`+s+`"`), &text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCompressedGELFIsExplainedByWhatItContains(t *testing.T) {
	const text = `{"version":"1.1","host":"h","short_message":"b","timestamp":1770848055.25}`
	var gz, zl bytes.Buffer
	for _, w := range []io.WriteCloser{gzip.NewWriter(&gz), zlib.NewWriter(&zl)} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e := New(relayRules(), "/kinesyslog")
	for _, message := range [][]byte{gz.Bytes(), zl.Bytes(), []byte(text)} {
		x := e.Explain(message, Sender{Address: "192.0.2.7", Port: "514"}, receipt)
		m := &x.Message
		if string(x.Text) != text || m.Format != "gelf" || m.Hostname != "h" || m.Timestamp != "2026-02-11T22:14:15.25Z" || x.Group != "/kinesyslog/gelf/514" {
			t.Errorf("%.20q: got %+v", message, m)
		}
	}
	hurt := gz.Bytes()[:30]
	if x := e.Explain(hurt, Sender{}, receipt); x.Source.Format != "syslog" || !bytes.Equal(x.Text, hurt) {
		t.Errorf("what cannot be decompressed became %q", x.Text)
	}
}

func TestBothTimesOfASkewedMessageAreTold(t *testing.T) {
	x := New(relayRules(), "/k").Explain([]byte("<34>Feb 11 2020 22:14:15 host app: long ago"), Sender{Address: "192.0.2.7"}, receipt)
	if x.Message.Timestamp != "2020-02-11T22:14:15Z" || x.Event != receipt.UnixMicro() || !slices.Equal(x.Reasons, []string{"skewed_time"}) {
		t.Errorf("got %s, event %d, %s", x.Message.Timestamp, x.Event, x.Reasons)
	}
}

func TestTheSendersZoneCounts(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	e := New(batch.Rules{ZoneOf: func(address string) *time.Location {
		if address == "192.0.2.7" {
			return oslo
		}
		return time.UTC
	}}, "/k")
	for address, want := range map[string]string{"192.0.2.7": "2026-02-11T22:14:15+01:00", "192.0.2.8": "2026-02-11T22:14:15Z"} {
		if x := e.Explain([]byte("<34>Feb 11 22:14:15 host su: text"), Sender{Address: address}, receipt); x.Message.Timestamp != want {
			t.Errorf("%s: %s, want %s", address, x.Message.Timestamp, want)
		}
	}
}

// mustHold checks what holds for any message.
func mustHold(t *testing.T, e *Explainer, message []byte) {
	t.Helper()
	x := e.Explain(message, Sender{Address: "192.0.2.7", Port: "514"}, receipt)
	line := x.AppendJSON(nil)
	if !json.Valid(line) || !utf8.Valid(line) || bytes.IndexByte(line, '\n') >= 0 {
		t.Fatalf("%q: no JSON on one line: %s", message, line)
	}
	for _, p := range []Printer{{Width: 80}, {Color: true, Width: 60}} {
		for _, r := range strings.NewReplacer("\x1b[", "", "\n", "").Replace(string(p.Append(nil, x))) {
			if r < ' ' || r == 0x7F || r == utf8.RuneError && !bytes.ContainsRune(x.Text, utf8.RuneError) && !strings.Contains(x.Message.Hostname, "\ufffd") {
				t.Fatalf("%q: %U gets to the terminal", message, r)
			}
		}
	}
}

func TestDamagedMessagesAreExplained(t *testing.T) {
	all := messages(t)
	t.Run("own", func(t *testing.T) { damage(t, all, 200) })
	t.Run("corpus", func(t *testing.T) {
		var all [][]byte
		for _, c := range corpus(t) {
			all = append(all, c.message())
		}
		damage(t, all, 8)
	})
}

// damage turns over bits and puts in bytes that mean something, so many times
// for each message.
func damage(t *testing.T, all [][]byte, times int) {
	random := rand.New(rand.NewPCG(1, 2))
	e := New(relayRules(), "/kinesyslog")
	const meaning = "<>[]:=|\"\\{} \t\x00\xff0\x1b\n"
	for _, message := range all {
		for range times {
			hurt := bytes.Clone(message)
			for range 1 + random.IntN(8) {
				if len(hurt) == 0 {
					break
				}
				at := random.IntN(len(hurt))
				switch random.IntN(4) {
				case 0:
					hurt[at] ^= 1 << random.IntN(8)
				case 1:
					hurt[at] = byte(random.IntN(256))
				case 2:
					hurt[at] = meaning[random.IntN(len(meaning))]
				default:
					hurt = hurt[:at]
				}
			}
			mustHold(t, e, hurt)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m)
	}
	e := New(relayRules(), "/kinesyslog")
	f.Fuzz(func(t *testing.T, message []byte) { mustHold(t, e, message) })
}

func TestReasonsAreThoseOfTheMetrics(t *testing.T) {
	e := New(relayRules(), "/kinesyslog")
	got := map[string][]string{}
	for _, m := range []string{"text", "<13>text", "<13>1 2026-02-30T01:02:03Z h a - - - \xff"} {
		got[m] = e.Explain([]byte(m), Sender{}, receipt).Reasons
	}
	want := map[string][]string{
		"text": {"no_header"}, "<13>text": {"no_time"}, "<13>1 2026-02-30T01:02:03Z h a - - - \xff": {"bad_time", "malformed_5424", "invalid_utf8"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
