package firehose_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"kinesyslog/internal/firehose"
)

func TestRecordsAreTakenUpToTheLimitsAndNotAByteBeyond(t *testing.T) {
	largest := strings.Repeat("x", 1_024_000)
	hundredth := strings.Repeat("y", 98_304) // 4,194,304 = 4 × 1,024,000 + 98,304
	for _, test := range []struct {
		name    string
		records []string
		code    string
		message string
	}{
		{name: "largest record", records: []string{largest}},
		{
			name: "record too large", records: []string{"fits", largest + "x"}, code: "ValidationException",
			message: "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=1024001 cap=1024001]' at 'records.2.member.data' failed to satisfy constraint: Member must have length less than or equal to 1024000",
		},
		{name: "most records", records: make([]string, 500)},
		{
			name: "too many records", records: make([]string, 501), code: "ValidationException",
			message: "1 validation error detected: Value '[501 records]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500",
		},
		{name: "largest call", records: []string{largest, largest, largest, largest, hundredth}},
		{
			name: "call too large", records: []string{largest, largest, largest, largest, hundredth + "y"}, code: "InvalidArgumentException",
			message: "Records size exceeds 4 MB limit",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, firehose.Options{})
			answer, err := r.batch("logs", test.records...)
			if test.code != "" {
				wantCode(t, err, test.code)
				if err == nil || !strings.HasSuffix(err.Error(), test.message) {
					t.Errorf("message is %v", err)
				}
			} else if err != nil || *answer.FailedPutCount != 0 || len(answer.RequestResponses) != len(test.records) {
				t.Fatalf("%v, %+v", err, answer)
			}
			r.close(t)
			want := strings.Join(test.records, "")
			if test.code != "" {
				want = "" // all or nothing
			}
			if got := contents(t, r.dir, "logs"); got != want {
				t.Errorf("objects hold %d bytes, want the %d that were put", len(got), len(want))
			}
		})
	}
}

func TestPutRecordTakesOneRecordUpToTheLimit(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, firehose.Options{})
	data := make([]byte, 1_024_001)
	in := &api.PutRecordInput{DeliveryStreamName: aws.String("logs"), Record: &types.Record{Data: data[:1_024_000]}}
	answer, err := r.PutRecord(ctx, in)
	if err != nil || *answer.RecordId == "" || *answer.Encrypted {
		t.Fatalf("%v, %+v", err, answer)
	}
	in.Record.Data = data
	_, err = r.PutRecord(ctx, in)
	wantCode(t, err, "ValidationException")
	r.close(t)
	if got := contents(t, r.dir, "logs"); got != string(data[:1_024_000]) {
		t.Errorf("objects hold %d bytes", len(got))
	}
}

func TestRecordIDsAreUnique(t *testing.T) {
	r := newRig(t, firehose.Options{})
	answer, err := r.batch("logs", make([]string, 500)...)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range answer.RequestResponses {
		seen[*e.RecordId] = true
	}
	if len(seen) != 500 {
		t.Errorf("%d different ids for 500 records", len(seen))
	}
}

func TestEmptyRecordsAreTakenAndMakeNoObject(t *testing.T) {
	r := newRig(t, firehose.Options{})
	r.put(t, "logs", "", "")
	if objects := r.close(t); len(objects) != 0 {
		t.Errorf("delivered %+v", objects)
	}
}
