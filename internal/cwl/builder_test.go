package cwl

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

func newBuilder(t testing.TB, level int) *Builder {
	t.Helper()
	b, err := NewBuilder(level)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inflate reads a record with the standard library and insists that it is one
// gzip member and nothing else.
func inflate(t testing.TB, record []byte) []byte {
	t.Helper()
	r := bytes.NewReader(record)
	gz, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	gz.Multistream(false)
	if !gz.ModTime.IsZero() || gz.Name != "" || gz.Comment != "" || len(gz.Extra) > 0 {
		t.Errorf("gzip header says more than it should: %+v", gz.Header)
	}
	content, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 0 {
		t.Errorf("%d bytes follow the gzip member", r.Len())
	}
	return content
}

func read(t testing.TB, record []byte) Document {
	t.Helper()
	return parse(t, inflate(t, record))
}

// parse decodes a document strictly: exactly the keys of Document, nothing after.
func parse(t testing.TB, content []byte) Document {
	t.Helper()
	values := json.NewDecoder(bytes.NewReader(content))
	values.DisallowUnknownFields()
	var doc Document
	if err := values.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if _, err := values.Token(); err != io.EOF {
		t.Errorf("something follows the document: %v", err)
	}
	return doc
}

func mustClose(t testing.TB, b *Builder) []byte {
	t.Helper()
	record, err := b.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(record) > MaxRecord {
		t.Fatalf("record of %d bytes, want at most %d", len(record), MaxRecord)
	}
	return record
}

func TestRecordIsTheDocumentOfTheSpecificationByteForByte(t *testing.T) {
	b := newBuilder(t, 6)
	b.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
	id := NewID(1519247270240, 42, 1)
	id.Set(9)
	b.Add(&id, 1519247270240, []byte("<13>1 2018-02-21T21:07:50.239881Z 192.0.2.7 - - - - "), []byte(`say "hi"`))
	id.Set(10)
	b.Add(&id, 1519247270241, nil, []byte("<14>two\nlines"))
	if b.Events() != 2 {
		t.Errorf("%d events, want 2", b.Events())
	}
	want := `{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/kinesyslog/syslog/514","logStream":"192.0.2.7",` +
		`"subscriptionFilters":["/kinesyslog/syslog/514"],"logEvents":[` +
		`{"id":"00015192472702400000000000000042000100000000000000000009","timestamp":1519247270240,` +
		`"message":"<13>1 2018-02-21T21:07:50.239881Z 192.0.2.7 - - - - say \"hi\""},` +
		`{"id":"00015192472702400000000000000042000100000000000000000010","timestamp":1519247270241,` +
		`"message":"<14>two\nlines"}]}`
	if diff := cmp.Diff(want, string(inflate(t, mustClose(t, b)))); diff != "" {
		t.Error(diff)
	}
}

func TestRecordReadsBackAsTheLambdaLibraryHasIt(t *testing.T) {
	b := newBuilder(t, 6)
	b.Open("123456789012", "group", "stream")
	id := NewID(1, 2, 3)
	b.Add(&id, 1519247270240, []byte("head "), []byte("gr\xfc\xdfe"))
	record := mustClose(t, b)
	var got events.CloudwatchLogsData
	if err := json.Unmarshal(inflate(t, record), &got); err != nil {
		t.Fatal(err)
	}
	want := events.CloudwatchLogsData{
		Owner: "123456789012", LogGroup: "group", LogStream: "stream",
		SubscriptionFilters: []string{"group"}, MessageType: "DATA_MESSAGE",
		LogEvents: []events.CloudwatchLogsLogEvent{{ID: id.String(), Timestamp: 1519247270240, Message: `head gr\xfc\xdfe`}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyNamesAreReplacedAndOthersEscaped(t *testing.T) {
	id := NewID(1, 2, 3)
	tests := []struct{ owner, group, stream, wantOwner, wantGroup, wantStream string }{
		{"", "", "", "000000000000", "-", "-"},
		{"o\"", "/a\\b\n", "fe80::1%\xff", "o\"", "/a\\b\n", `fe80::1%\xff`},
	}
	b := newBuilder(t, 1)
	for _, test := range tests {
		b.Open(test.owner, test.group, test.stream)
		b.Add(&id, 1519247270240, nil, nil)
		got := read(t, mustClose(t, b))
		want := Document{
			MessageType: "DATA_MESSAGE", Owner: test.wantOwner, LogGroup: test.wantGroup, LogStream: test.wantStream,
			SubscriptionFilters: []string{test.wantGroup}, LogEvents: []Event{{ID: id.String(), Timestamp: 1519247270240}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTimestampsHaveThirteenDigitsWhateverTheTime(t *testing.T) {
	tests := []struct{ timestamp, want int64 }{
		{0, 1_000_000_000_000},
		{math.MinInt64, 1_000_000_000_000},
		{999_999_999_999, 1_000_000_000_000},
		{1_000_000_000_000, 1_000_000_000_000},
		{1_763_797_000_123, 1_763_797_000_123},
		{9_999_999_999_999, 9_999_999_999_999},
		{10_000_000_000_000, 9_999_999_999_999},
		{math.MaxInt64, 9_999_999_999_999},
		{0, 1_000_000_000_000},
	}
	b := newBuilder(t, 1)
	id := NewID(1, 2, 3)
	b.Open("1", "g", "s")
	for _, test := range tests {
		b.Add(&id, test.timestamp, nil, nil)
	}
	for i, event := range read(t, mustClose(t, b)).LogEvents {
		if event.Timestamp != tests[i].want {
			t.Errorf("%d became %d, want %d", tests[i].timestamp, event.Timestamp, tests[i].want)
		}
	}
}

func TestLevelsOtherThanOneToNineAreRefused(t *testing.T) {
	for _, level := range []int{-3, -2, -1, 0, 10} {
		if _, err := NewBuilder(level); err == nil {
			t.Errorf("level %d: no error", level)
		}
	}
}

func TestDocumentWithoutEventsIsAnError(t *testing.T) {
	b := newBuilder(t, 1)
	id := NewID(1, 2, 3)
	if b.Add(&id, 0, nil, nil) {
		t.Error("an event was taken before Open")
	}
	if _, err := b.Close(); !errors.Is(err, ErrNoEvents) {
		t.Errorf("closed before Open: %v", err)
	}
	b.Open("1", "g", "s")
	if _, err := b.Close(); !errors.Is(err, ErrNoEvents) {
		t.Errorf("closed without events: %v", err)
	}
	b.Open("1", "g", "s")
	b.Add(&id, 0, nil, nil)
	mustClose(t, b)
	if b.Add(&id, 0, nil, nil) {
		t.Error("an event was taken after Close")
	}
}

func TestSameInputMakesTheSameRecord(t *testing.T) {
	lines, stamps := logLines(800)
	build := func(b *Builder) []byte {
		b.Open("1", "g", "s")
		id := NewID(1, 2, 3)
		for i, line := range lines {
			id.Set(uint64(i))
			b.Add(&id, stamps[i], nil, line)
		}
		return bytes.Clone(mustClose(t, b))
	}
	for level := 1; level <= 9; level++ {
		b := newBuilder(t, level)
		first := build(b)
		b.Open("1", "other", "s") // another document, given up half-way
		id := NewID(4, 5, 6)
		for range 200 {
			b.Add(&id, stamps[0], nil, lines[7])
		}
		if !bytes.Equal(first, build(b)) {
			t.Errorf("level %d: a used Builder makes another record", level)
		}
		if !bytes.Equal(first, build(newBuilder(t, level))) {
			t.Errorf("level %d: a new Builder makes another record", level)
		}
	}
}

func TestNothingIsAllocatedOnceWarm(t *testing.T) {
	lines, stamps := logLines(500)
	lines[200] = bytes.Repeat([]byte{1}, 65536)
	for _, level := range []int{1, 6, 7} {
		b := newBuilder(t, level)
		cycle := func() {
			b.Open("123456789012", "/kinesyslog/syslog/514", "2001:db8:1234:5678:9abc:def0:1234:5678")
			id := NewID(1, 2, 3)
			for i, line := range lines {
				id.Set(uint64(i))
				if !b.Add(&id, stamps[i], []byte("<13>1 2018-02-21T21:07:50.239881Z 192.0.2.7 - - - - "), line) {
					t.Fatal("document full")
				}
			}
			mustClose(t, b)
		}
		cycle()
		if n := testing.AllocsPerRun(2, cycle); n != 0 {
			t.Errorf("level %d: %v allocations a record, want none", level, n)
		}
	}
}
