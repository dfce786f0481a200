package firehose_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/firehose"
)

func TestAFailedCallTakesNothing(t *testing.T) {
	r := newRig(t, firehose.Options{Faults: firehose.Faults{FailRequests: 1}})
	_, err := r.batch("logs", "x")
	var unavailable *types.ServiceUnavailableException
	if !errors.As(err, &unavailable) || unavailable.ErrorMessage() != "Slow down." {
		t.Errorf("got %v", err)
	}
	if objects := r.close(t); len(objects) != 0 {
		t.Errorf("delivered %+v", objects)
	}
}

func TestFailedRecordsAreNamedAndTheOthersDelivered(t *testing.T) {
	r := newRig(t, firehose.Options{Faults: firehose.Faults{FailRecords: 0.5, Seed: 7}})
	letters := strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	answer, err := r.batch("logs", letters...)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	failed := int32(0)
	for i, e := range answer.RequestResponses {
		switch {
		case e.ErrorCode == nil:
			want.WriteString(letters[i])
		case *e.ErrorCode != "ServiceUnavailableException" || *e.ErrorMessage != "Slow down." || e.RecordId != nil:
			t.Errorf("record %d: %+v", i, e)
		default:
			failed++
		}
	}
	if failed == 0 || failed == 26 || *answer.FailedPutCount != failed {
		t.Errorf("%d failed, answer says %d", failed, *answer.FailedPutCount)
	}
	r.close(t)
	if got := contents(t, r.dir, "logs"); got != want.String() {
		t.Errorf("objects hold %q, want %q", got, want.String())
	}
}

func TestAPutRecordThatFailsIsAFailedCall(t *testing.T) {
	r := newRig(t, firehose.Options{Faults: firehose.Faults{FailRecords: 1}})
	_, err := r.PutRecord(context.Background(), &api.PutRecordInput{DeliveryStreamName: aws.String("logs"), Record: &types.Record{Data: []byte("x")}})
	wantCode(t, err, "ServiceUnavailableException")
}

func TestTheSameSeedMakesTheSameFaults(t *testing.T) {
	outcome := func(seed uint64) (s string) {
		r := newRig(t, firehose.Options{Faults: firehose.Faults{FailRequests: 0.3, FailRecords: 0.3, Seed: seed}})
		for range 20 {
			answer, err := r.batch("logs", "a", "b", "c")
			if err != nil {
				s += "!"
				continue
			}
			for _, e := range answer.RequestResponses {
				s += map[bool]string{true: ".", false: "x"}[e.ErrorCode == nil]
			}
		}
		return s
	}
	first := outcome(3)
	if again := outcome(3); again != first {
		t.Errorf("%s\n%s", first, again)
	}
	if other := outcome(4); other == first {
		t.Errorf("another seed gives the same: %s", first)
	}
}

func TestADroppedConnectionTookItsRecordsHalfTheTime(t *testing.T) {
	r := newRig(t, firehose.Options{Faults: firehose.Faults{DropConnections: 1}})
	for range 40 {
		_, err := r.batch("logs", "x")
		var answered smithy.APIError
		if err == nil || errors.As(err, &answered) {
			t.Fatalf("got %v, want a broken connection", err)
		}
	}
	r.close(t)
	if n := len(contents(t, r.dir, "logs")); n < 5 || n > 35 {
		t.Errorf("%d of 40 calls were taken", n)
	}
	if n := r.Stats().DroppedConnections; n != 40 {
		t.Errorf("%d dropped connections counted", n)
	}
}

func TestThrottlingRefusesRecordsBeyondTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, firehose.Options{Faults: firehose.Faults{ThrottleBytes: 2_000_000}})
		half := strings.Repeat("x", 500_000)
		if failed := b.put(t, half, half, half, half, half, half); failed != 2 {
			t.Errorf("%d of 6 failed, want 2: the others are a second's worth", failed)
		}
		time.Sleep(500 * time.Millisecond)
		if failed := b.put(t, half, half, half); failed != 1 {
			t.Errorf("%d of 3 failed half a second later, want 1", failed)
		}
	})
}

func TestLatencyPassesBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, firehose.Options{Faults: firehose.Faults{Latency: 250 * time.Millisecond}})
		start := time.Now()
		b.put(t, "x")
		if d := time.Since(start); d != 250*time.Millisecond {
			t.Errorf("answered after %v", d)
		}
	})
}

func TestFaultsAreSetAndShownWhileRunning(t *testing.T) {
	r := newRig(t, firehose.Options{Faults: firehose.Faults{FailRecords: 0.25}})
	set := func(contentType, body string) (int, string) {
		response, err := http.Post(r.url+"/_faults", contentType, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	const on = `{"failRequests":0,"failRecords":0.25,"dropConnections":0,"latency":"1ms","throttleBytes":0,"outage":true,"seed":0}`
	if status, text := set("application/json", `{"outage":true,"latency":"1ms"}`); status != 200 || text != on {
		t.Errorf("outage on: %d %s", status, text)
	}
	_, err := r.batch("logs", "x")
	var answered smithy.APIError
	if err == nil || errors.As(err, &answered) {
		t.Errorf("in the outage: %v", err)
	}
	for _, bad := range []string{`{"failRecords":2}`, `{"latency":"2h"}`, `{"latency":"x"}`, `{"outage":1}`, `{"unheard":1}`, `{`, `{"throttleBytes":-1}`} {
		if status, _ := set("application/json", bad); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if status, _ := set("text/plain", `{"outage":false}`); status != 415 {
		t.Errorf("text/plain: %d", status)
	}
	if status, _ := set("application/json", `{"outage":false,"failRecords":0}`); status != 200 {
		t.Errorf("outage off: %d", status)
	}
	r.put(t, "logs", "x")
}

func TestStatsAndMetricsTellTheSame(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRig(t, firehose.Options{Registerer: registry})
	r.put(t, "logs", "one", "two")
	_, _ = r.batch("none", "x")
	if _, err := firehose.New(firehose.Options{Dir: t.TempDir(), Registerer: registry}); err == nil {
		t.Error("two servers on one registry")
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			key := strings.TrimPrefix(family.GetName(), "kinesyslog_embedded_firehose_")
			for _, label := range m.GetLabel() {
				key += " " + label.GetName() + "=" + label.GetValue()
			}
			got[key] = m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"calls_total operation=PutRecordBatch":        1,
		"errors_total code=ResourceNotFoundException": 1,
		"dropped_connections_total":                   0,
		"records_total":                               2,
		"failed_records_total":                        0,
		"record_bytes_total":                          6,
		"objects_total":                               0,
		"object_bytes_total":                          0,
		"failed_objects_total":                        0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	response, err := http.Get(r.url + "/_stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	const stats = `{"calls":{"PutRecordBatch":1},"errors":{"ResourceNotFoundException":1},"droppedConnections":0,"records":2,"failedRecords":0,"bytes":6,"objects":0,"objectBytes":0,"failedObjects":0}`
	if string(text) != stats {
		t.Errorf("got  %s\nwant %s", text, stats)
	}
}
