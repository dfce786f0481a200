package firehose_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"

	"kinesyslog/internal/firehose"
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// post sends a call without the SDK, which would not send what is wrong.
func (r *rig) post(t *testing.T, operation, body string) (status int, code, message string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, r.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "Firehose_20150804."+operation)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Type    string `json:"__type"`
		Message string
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s in %q", err, text)
	}
	if got := response.Header.Get("X-Amzn-Errortype"); got != answer.Type {
		t.Errorf("header says %q, body %q", got, answer.Type)
	}
	return response.StatusCode, answer.Type, answer.Message
}

func TestErrorsAreThoseOfAWS(t *testing.T) {
	const s3 = `"ExtendedS3DestinationConfiguration":{"RoleARN":"arn:aws:iam::000000000000:role/r","BucketARN":"arn:aws:s3:::b"}`
	r := newRig(t, firehose.Options{MaxStreams: 2, Streams: []string{"logs", "more"}})
	for _, test := range []struct{ operation, body, code, message string }{
		{"DescribeDeliveryStream", `{"DeliveryStreamName":"S"}`, "ResourceNotFoundException", "Firehose S under account 000000000000 not found."},
		{"DeleteDeliveryStream", `{"DeliveryStreamName":"S"}`, "ResourceNotFoundException", "Firehose S under account 000000000000 not found."},
		{"PutRecord", `{"DeliveryStreamName":"S","Record":{"Data":"aGk="}}`, "ResourceNotFoundException", "Firehose S under account 000000000000 not found."},
		{"CreateDeliveryStream", `{"DeliveryStreamName":"logs",` + s3 + `}`, "ResourceInUseException", "Firehose logs under accountId 000000000000 already exists"},
		{
			"CreateDeliveryStream", `{"DeliveryStreamName":"third",` + s3 + `}`, "LimitExceededException",
			"You have already consumed your firehose quota of 2 hoses. Firehose names: [logs, more]",
		},
		{
			"CreateDeliveryStream", `{"DeliveryStreamName":"x",` + s3 + `,"SplunkDestinationConfiguration":{}}`, "InvalidArgumentException",
			"Exactly one destination configuration is supported for a Firehose",
		},
		{"CreateDeliveryStream", `{"DeliveryStreamName":"x","SplunkDestinationConfiguration":{}}`, "InvalidArgumentException", "Use ExtendedS3DestinationConfiguration."},
		{"CreateDeliveryStream", `{"DeliveryStreamName":"x","DeliveryStreamType":"KinesisStreamAsSource"}`, "InvalidArgumentException", "Use the type DirectPut."},
		{"CreateDeliveryStream", `{"DeliveryStreamName":".hidden"}`, "InvalidArgumentException", ".hidden"},
		{
			"CreateDeliveryStream", `{"DeliveryStreamName":"x","DeliveryStreamType":"Direct"}`, "ValidationException",
			"1 validation error detected: Value 'Direct' at 'deliveryStreamType' failed to satisfy constraint: Member must satisfy enum value set: [DirectPut, KinesisStreamAsSource, MSKAsSource, DatabaseAsSource]",
		},
		{
			"CreateDeliveryStream", `{"DeliveryStreamName":"x","S3DestinationConfiguration":{"RoleARN":"r","BufferingHints":{"SizeInMBs":129,"IntervalInSeconds":901}}}`, "ValidationException",
			`4 validation errors detected: Value 'r' at 's3DestinationConfiguration.roleARN' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+; ` +
				"Value null at 's3DestinationConfiguration.bucketARN' failed to satisfy constraint: Member must not be null; " +
				"Value '129' at 's3DestinationConfiguration.bufferingHints.sizeInMBs' failed to satisfy constraint: Member must have value less than or equal to 128; " +
				"Value '901' at 's3DestinationConfiguration.bufferingHints.intervalInSeconds' failed to satisfy constraint: Member must have value less than or equal to 900",
		},
		{
			"PutRecord", `{"DeliveryStreamName":"a b","Record":{"Data":"aGk="}}`, "ValidationException",
			"1 validation error detected: Value 'a b' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
		},
		{
			"DescribeDeliveryStream", `{"DeliveryStreamName":"` + strings.Repeat("x", 65) + `"}`, "ValidationException",
			"1 validation error detected: Value '" + strings.Repeat("x", 65) + "' at 'deliveryStreamName' failed to satisfy constraint: Member must have length less than or equal to 64",
		},
		{
			"DeleteDeliveryStream", `{}`, "ValidationException",
			"1 validation error detected: Value null at 'deliveryStreamName' failed to satisfy constraint: Member must not be null",
		},
		{
			"PutRecord", `{"DeliveryStreamName":""}`, "ValidationException",
			"3 validation errors detected: Value '' at 'deliveryStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; " +
				"Value '' at 'deliveryStreamName' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value null at 'record' failed to satisfy constraint: Member must not be null",
		},
		{"PutRecord", `{"DeliveryStreamName":"logs","Record":{}}`, "ValidationException", "Value null at 'record.data'"},
		{"PutRecordBatch", `{"DeliveryStreamName":"logs"}`, "ValidationException", "Value null at 'records'"},
		{
			"PutRecordBatch", `{"DeliveryStreamName":"logs","Records":[]}`, "ValidationException",
			"1 validation error detected: Value '[]' at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{"PutRecordBatch", `{"DeliveryStreamName":"logs","Records":[{"Data":"aGk="},{}]}`, "ValidationException", "Value null at 'records.2.member.data'"},
		{"PutRecordBatch", `{"DeliveryStreamName":"logs","Records":[null]}`, "ValidationException", "Value null at 'records.1.member'"},
		{"ListDeliveryStreams", `{"Limit":0}`, "ValidationException", "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListDeliveryStreams", `{"Limit":10001}`, "ValidationException", "less than or equal to 10000"},
		{"PutRecord", `{"DeliveryStreamName":`, "SerializationException", ""},
		{"PutRecord", ``, "SerializationException", ""},
		{"PutRecord", `{"DeliveryStreamName":1}`, "SerializationException", ""},
		{"PutRecord", `{"DeliveryStreamName":"logs","Record":{"Data":"!"}}`, "SerializationException", "base64"},
		{"PutRecordBatch", `{"DeliveryStreamName":"logs","Records":[` + strings.Repeat("null,", 1<<16) + `{}]}`, "SerializationException", "too many members"},
		{"UpdateDestination", `{}`, "UnknownOperationException", ""},
	} {
		status, code, message := r.post(t, test.operation, test.body)
		if status != 400 || code != test.code || !strings.Contains(message, test.message) {
			t.Errorf("%s %.200s:\n got %d %s %s\nwant 400 %s %s", test.operation, test.body, status, code, message, test.code, test.message)
		}
	}
	if got := r.Stats().Errors["ResourceNotFoundException"]; got != 3 {
		t.Errorf("%d calls counted as not found, want 3", got)
	}
}

func TestErrorsAreTypesOfTheSDK(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, firehose.Options{MaxStreams: 1})
	s3 := &types.ExtendedS3DestinationConfiguration{RoleARN: aws.String("arn:aws:iam::000000000000:role/r"), BucketARN: aws.String("arn:aws:s3:::b")}
	create := func(name string) error {
		_, err := r.CreateDeliveryStream(ctx, &api.CreateDeliveryStreamInput{DeliveryStreamName: &name, ExtendedS3DestinationConfiguration: s3})
		return err
	}
	var inUse *types.ResourceInUseException
	if err := create("logs"); !errors.As(err, &inUse) {
		t.Errorf("existing stream: %v", err)
	}
	var limit *types.LimitExceededException
	if err := create("second"); !errors.As(err, &limit) {
		t.Errorf("one stream too many: %v", err)
	}
	var invalid *types.InvalidArgumentException
	if err := create(".."); !errors.As(err, &invalid) {
		t.Errorf("name of dots: %v", err)
	}
	_, err := r.batch("none", "x")
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("missing stream: %v", err)
	}
	_, err = r.batch("a b", "x")
	wantCode(t, err, "ValidationException")
}

func TestACallThatIsTooLargeIsRefusedUnread(t *testing.T) {
	r := newRig(t, firehose.Options{})
	big := strings.Repeat(" ", 16<<20+1)
	if status, code, _ := r.post(t, "ListDeliveryStreams", big); status != 413 || code != "RequestEntityTooLargeException" {
		t.Errorf("known length: %d %s", status, code)
	}
	request, err := http.NewRequest(http.MethodPost, r.url, io.MultiReader(strings.NewReader(big)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 413 {
		t.Errorf("chunked: %d", response.StatusCode)
	}
}
