package upload

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/google/go-cmp/cmp"
)

const (
	callerAnswer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/relay</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	streamAnswer = `{"DeliveryStreamDescription":{"DeliveryStreamName":"logs","DeliveryStreamARN":"arn:aws:firehose:us-east-1:210987654321:deliverystream/logs",
"DeliveryStreamStatus":"ACTIVE","DeliveryStreamType":"DirectPut","VersionId":"1","HasMoreDestinations":false,
"Destinations":[{"DestinationId":"d","ExtendedS3DestinationDescription":{"RoleARN":"r","BucketARN":"b","BufferingHints":{},"CompressionFormat":"UNCOMPRESSED","EncryptionConfiguration":{},
"ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"Decompression"}]}}}]}}`
	deniedAnswer = `{"__type":"AccessDeniedException","message":"not authorized"}`
)

// account answers as STS and as DescribeDeliveryStream; "" means a refusal.
func account(t *testing.T, caller, stream string) *AWSClient {
	isolate(t)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer, status := caller, 403
		if r.Header.Get("X-Amz-Target") != "" {
			answer, status = stream, 400
		}
		if answer == "" {
			w.WriteHeader(status)
			answer = deniedAnswer
		}
		_, _ = io.WriteString(w, answer)
	})
	return newAWS(t, local(s.URL))
}

func TestIdentityIsLearntFromStsOrFromTheStream(t *testing.T) {
	for _, tt := range []struct{ name, caller, stream, want string }{
		{"both", callerAnswer, streamAnswer, "123456789012"},
		{"only STS", callerAnswer, "", "123456789012"},
		{"only the stream", "", streamAnswer, "210987654321"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			id := NewIdentity(account(t, tt.caller, tt.stream), "logs", slog.New(slog.NewTextHandler(&log, nil)))
			if id.Account() != "" {
				t.Errorf("account %q before anybody was asked", id.Account())
			}
			id.Run(t.Context())
			if id.Account() != tt.want {
				t.Errorf("account %q, want %q", id.Account(), tt.want)
			}
			if warned := strings.Contains(log.String(), "decompression"); warned != (tt.stream != "") {
				t.Errorf("warning of decompression: %v; log:\n%s", warned, log.String())
			}
		})
	}
}

func TestIdentityThatIsRefusedEverythingEndsWithItsContext(t *testing.T) {
	client := account(t, "", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := NewIdentity(client, "logs", slog.New(slog.DiscardHandler))
	id.Run(ctx)
	if id.Account() != "" {
		t.Errorf("account %q", id.Account())
	}
}

func TestDescriptionNamesWhatKeepsAStreamFromTakingRecords(t *testing.T) {
	decompress := &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{Type: types.ProcessorTypeDecompression}}}
	for _, in := range []types.DestinationDescription{
		{SplunkDestinationDescription: &types.SplunkDestinationDescription{ProcessingConfiguration: decompress}},
		{HttpEndpointDestinationDescription: &types.HttpEndpointDestinationDescription{ProcessingConfiguration: decompress}},
		{AmazonopensearchserviceDestinationDescription: &types.AmazonopensearchserviceDestinationDescription{ProcessingConfiguration: decompress}},
		{AmazonOpenSearchServerlessDestinationDescription: &types.AmazonOpenSearchServerlessDestinationDescription{ProcessingConfiguration: decompress}},
		{ElasticsearchDestinationDescription: &types.ElasticsearchDestinationDescription{ProcessingConfiguration: decompress}},
		{RedshiftDestinationDescription: &types.RedshiftDestinationDescription{ProcessingConfiguration: decompress}},
		{IcebergDestinationDescription: &types.IcebergDestinationDescription{ProcessingConfiguration: decompress}},
		{SnowflakeDestinationDescription: &types.SnowflakeDestinationDescription{ProcessingConfiguration: decompress}},
		{ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{ProcessingConfiguration: decompress}, S3DestinationDescription: &types.S3DestinationDescription{}},
	} {
		var d Description
		if d.add(in); !d.Decompression || len(d.Destinations) != 1 {
			t.Errorf("%+v from %+v", d, in)
		}
	}
	d := Description{Status: "DELETING", Type: "KinesisStreamAsSource", Encryption: "ENABLING_FAILED"}
	d.add(types.DestinationDescription{S3DestinationDescription: &types.S3DestinationDescription{}})
	if got := d.Findings(); len(got) != 3 || got[1].Level != Failure || d.Account() != "" {
		t.Errorf("findings %+v", got)
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	levels := func(in []Finding) (out []string) {
		for _, f := range in {
			out = append(out, string(f.Level))
			if (f.Hint == "") != (f.Level == Fine) {
				t.Errorf("finding %+v", f)
			}
		}
		return out
	}
	for _, tt := range []struct {
		name, caller, stream string
		want                 []string
	}{
		{"decompression", callerAnswer, streamAnswer, []string{"ok", "ok", "ok", "ok", "failure"}},
		{"well", callerAnswer, strings.Replace(streamAnswer, `"Enabled":true`, `"Enabled":false`, 1), []string{"ok", "ok", "ok", "ok"}},
		{"creating", callerAnswer, strings.Replace(strings.Replace(streamAnswer, `"Enabled":true`, `"Enabled":false`, 1), "ACTIVE", "CREATING", 1), []string{"ok", "ok", "ok", "ok", "warning"}},
		{"may only put", "", "", []string{"ok", "ok", "warning", "warning"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(t.Context(), account(t, tt.caller, tt.stream), "logs")
			if diff := cmp.Diff(tt.want, levels(got)); diff != "" {
				t.Errorf("levels (-want +got):\n%s%+v", diff, got)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		isolate(t)
		got := Check(t.Context(), newAWS(t, AWSOptions{}), "logs")
		if diff := cmp.Diff([]string{"failure"}, levels(got)); diff != "" {
			t.Errorf("levels (-want +got):\n%s%+v", diff, got)
		}
		got = Check(t.Context(), newAWS(t, AWSOptions{Region: "us-east-1"}), "logs")
		if diff := cmp.Diff([]string{"ok", "failure"}, levels(got)); diff != "" {
			t.Errorf("levels (-want +got):\n%s%+v", diff, got)
		}
	})
}
