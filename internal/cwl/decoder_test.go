package cwl

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// record makes a record whose events are texts.
func record(t testing.TB, texts ...string) []byte {
	t.Helper()
	b := newBuilder(t, 6)
	b.Open("123456789012", "group", "stream")
	for i, text := range texts {
		id := NewID(1, 2, 3)
		id.Set(uint64(i))
		b.Add(&id, 1763797000123, nil, []byte(text))
	}
	return bytes.Clone(mustClose(t, b))
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	gz.Write(content)
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decoded is what a Decoder makes of an object: messages, and "!offset" for
// damage.
func decoded(t testing.TB, r io.Reader) []string {
	t.Helper()
	var got []string
	for d := NewDecoder(r); ; {
		doc, err := d.Next()
		var damage *DamageError
		switch {
		case err == io.EOF:
			return got
		case errors.As(err, &damage):
			got = append(got, fmt.Sprintf("!%d", damage.Offset))
		case err != nil:
			t.Fatal(err)
		default:
			for _, event := range doc.LogEvents {
				got = append(got, event.Message)
			}
		}
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestDocumentsAreReadHoweverTheyLieInTheObject(t *testing.T) {
	one, two := record(t, "a", "b"), record(t, "c")
	plainOne, plainTwo := inflate(t, one), inflate(t, two)
	want := []string{"a", "b", "c"}
	tests := map[string][]byte{
		"members":                    join(one, two),
		"members in lines":           join(one, []byte("\n"), two, []byte("\r\n")),
		"plain documents":            join(plainOne, plainTwo),
		"plain documents in lines":   join(plainOne, []byte("\n"), plainTwo, []byte("\n")),
		"plain, then member":         join(plainOne, two),
		"member, then plain":         join(one, plainTwo),
		"two documents in a member":  gzipped(t, join(plainOne, []byte("\n"), plainTwo)),
		"members within a member":    gzipped(t, join(one, two)),
		"empty member between":       join(one, gzipped(t, nil), two),
		"white space at either side": join([]byte(" \t\n"), one, two, []byte("\n\n")),
	}
	for name, object := range tests {
		if diff := cmp.Diff(want, decoded(t, bytes.NewReader(object))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want, decoded(t, iotest.OneByteReader(bytes.NewReader(object)))); diff != "" {
			t.Errorf("%s, byte by byte: %s", name, diff)
		}
		if diff := cmp.Diff(want, decoded(t, iotest.DataErrReader(bytes.NewReader(object)))); diff != "" {
			t.Errorf("%s, end with the data: %s", name, diff)
		}
	}
}

func TestRecordsOfOtherProducersAreRead(t *testing.T) {
	object := `{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],` +
		`"logEvents":[{"id":"","timestamp":1519247270240,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}` +
		`{"owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"messageType":"DATA_MESSAGE","policyLevel":"x",` +
		`"logEvents":[{"id":"7","timestamp":5,"message":"\ud83d\ude00","extractedFields":{"a":"1"}}]}`
	d := NewDecoder(strings.NewReader(object))
	want := []*Document{
		{
			MessageType: "CONTROL_MESSAGE", Owner: "CloudwatchLogs", SubscriptionFilters: []string{},
			LogEvents: []Event{{Timestamp: 1519247270240, Message: "CWL CONTROL MESSAGE: Checking health of destination Firehose."}},
		},
		{
			MessageType: "DATA_MESSAGE", Owner: "1", LogGroup: "g", LogStream: "s", SubscriptionFilters: []string{"f"},
			LogEvents: []Event{{ID: "7", Timestamp: 5, Message: "😀"}},
		},
	}
	for _, want := range want {
		got, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := d.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestDamageIsReportedWhereItBeginsAndReadingGoesOn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b, c := record(t, "a"), record(t, "b", string(randomText(r, 2000, 65, 90))), record(t, "c")
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0xff
		return b
	}
	mid := fmt.Sprintf("!%d", len(a))
	plain := inflate(t, c)
	tests := []struct {
		name   string
		object []byte
		want   []string
	}{
		{"cut at the end", join(a, b[:len(b)/2]), []string{"a", mid}},
		{"cut within the header", join(a, b[:5]), []string{"a", mid}},
		{"cut within the trailer", join(a, b[:len(b)-3]), []string{"a", mid}},
		{"cut in the middle of the object", join(a, b[:len(b)/2], c), []string{"a", mid, "c"}},
		{"nearly all cut off", join(a, b[:11], c), []string{"a", mid, "c"}},
		{"trailer cut", join(a, b[:len(b)-4], c), []string{"a", mid, "c"}},
		{"data altered", join(a, flip(b, len(b)/2), c), []string{"a", mid, "c"}},
		{"CRC altered", join(a, flip(b, len(b)-8), c), []string{"a", mid, "c"}},
		{"length altered", join(a, flip(b, len(b)-1), c), []string{"a", mid, "c"}},
		{"method altered", join(a, flip(b, 2), c), []string{"a", mid, "c"}},
		{"beginning lost", join(b[len(b)/2:], c), []string{"!0", "c"}},
		{"two damaged", join(flip(a, 20), flip(b, len(b)-8), c), []string{"!0", mid, "c"}},
		{"bytes between", join(a, []byte("\x00\x00what\x1f\x8b\x08 { is"), c), []string{"a", mid, "c"}},
		{"plain document cut", join(a, plain[:len(plain)-9], []byte("\n"), plain), []string{"a", mid, "c"}},
		{"plain document cut before a member", join(a, plain[:40], c), []string{"a", mid, "c"}},
		{"not JSON", join(a, gzipped(t, []byte("<13>hello")), c), []string{"a", mid, "c"}},
		{"JSON of another kind", join(a, gzipped(t, []byte(`{"a":1}`)), c), []string{"a", mid, "c"}},
		{"wrong type", join(a, []byte(`{"messageType":5}`), c), []string{"a", mid, "c"}},
		{"documents after damage within a member", gzipped(t, join([]byte("x"), plain)), []string{"!0", "c"}},
		{"gzip three deep", join(a, gzipped(t, gzipped(t, b)), c), []string{"a", mid, "c"}},
		{"text file", []byte("<13>one\n<13>two\n"), []string{"!0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, decoded(t, bytes.NewReader(test.object))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.want, decoded(t, iotest.OneByteReader(bytes.NewReader(test.object)))); diff != "" {
				t.Errorf("byte by byte: %s", diff)
			}
		})
	}
}

// A record cut at any byte is one damage, and the records after it are read.
func TestRecordCutAnywhereHidesNoOther(t *testing.T) {
	first, next := record(t, "first"), record(t, "next")
	for cut := 1; cut < len(first); cut++ {
		got := decoded(t, bytes.NewReader(join(first[:cut], next)))
		if diff := cmp.Diff([]string{"!0", "next"}, got); diff != "" {
			t.Errorf("cut at %d: %s", cut, diff)
		}
	}
}
