package firehose_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/firehose"
)

func TestStreamsAreCreatedDescribedListedAndDeleted(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, firehose.Options{Streams: []string{}, Account: "210987654321", Region: "eu-west-1"})
	before := time.Now().Add(-time.Millisecond)
	created, err := r.CreateDeliveryStream(ctx, &api.CreateDeliveryStreamInput{
		DeliveryStreamName: aws.String("logs"),
		DeliveryStreamType: types.DeliveryStreamTypeDirectPut,
		ExtendedS3DestinationConfiguration: &types.ExtendedS3DestinationConfiguration{
			RoleARN:        aws.String("arn:aws:iam::210987654321:role/r"),
			BucketARN:      aws.String("arn:aws:s3:::bucket"),
			BufferingHints: &types.BufferingHints{SizeInMBs: aws.Int32(7), IntervalInSeconds: aws.Int32(60)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:firehose:eu-west-1:210987654321:deliverystream/logs"
	if *created.DeliveryStreamARN != arn {
		t.Errorf("created %s", *created.DeliveryStreamARN)
	}
	described, err := r.DescribeDeliveryStream(ctx, &api.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String("logs")})
	if err != nil {
		t.Fatal(err)
	}
	d := described.DeliveryStreamDescription
	if d.CreateTimestamp.Before(before) || d.CreateTimestamp.After(time.Now()) {
		t.Errorf("created at %v", d.CreateTimestamp)
	}
	if *d.DeliveryStreamName != "logs" || *d.DeliveryStreamARN != arn || d.DeliveryStreamStatus != types.DeliveryStreamStatusActive ||
		d.DeliveryStreamType != types.DeliveryStreamTypeDirectPut || *d.VersionId != "1" || *d.HasMoreDestinations || len(d.Destinations) != 1 {
		t.Errorf("described as %+v", d)
	}
	s3 := d.Destinations[0].ExtendedS3DestinationDescription
	got := []any{*s3.RoleARN, *s3.BucketARN, *s3.BufferingHints.SizeInMBs, *s3.BufferingHints.IntervalInSeconds, s3.CompressionFormat}
	want := []any{"arn:aws:iam::210987654321:role/r", "arn:aws:s3:::bucket", int32(7), int32(60), types.CompressionFormatUncompressed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	listed, err := r.ListDeliveryStreams(ctx, &api.ListDeliveryStreamsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"logs"}, listed.DeliveryStreamNames); diff != "" {
		t.Error(diff)
	}
	r.put(t, "logs", "kept")
	if _, err := r.DeleteDeliveryStream(ctx, &api.DeleteDeliveryStreamInput{DeliveryStreamName: aws.String("logs")}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, r.dir, "logs"); got != "kept" {
		t.Errorf("after the stream was deleted its objects hold %q", got)
	}
	_, err = r.batch("logs", "late")
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Firehose logs under account 210987654321 not found." {
		t.Errorf("put to a deleted stream: %v", err)
	}
}

func TestStreamsCreatedOverTheAPIAreThereAfterARestart(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, firehose.Options{})
	if _, err := r.CreateDeliveryStream(ctx, &api.CreateDeliveryStreamInput{DeliveryStreamName: aws.String("made")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DeleteDeliveryStream(ctx, &api.DeleteDeliveryStreamInput{DeliveryStreamName: aws.String("logs")}); err != nil {
		t.Fatal(err)
	}
	r.close(t)
	again := newRig(t, firehose.Options{Dir: r.dir, Streams: []string{}})
	listed, err := again.ListDeliveryStreams(ctx, &api.ListDeliveryStreamsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"made"}, listed.DeliveryStreamNames); diff != "" {
		t.Error(diff)
	}
}

func TestListGoesThroughAllStreamsPageByPage(t *testing.T) {
	ctx := context.Background()
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	r := newRig(t, firehose.Options{Streams: names})
	for _, test := range []struct {
		in   api.ListDeliveryStreamsInput
		want []string
		more bool
	}{
		{api.ListDeliveryStreamsInput{}, names[:10], true},
		{api.ListDeliveryStreamsInput{Limit: aws.Int32(12)}, names, false},
		{api.ListDeliveryStreamsInput{Limit: aws.Int32(2), ExclusiveStartDeliveryStreamName: aws.String("b")}, names[2:4], true},
		{api.ListDeliveryStreamsInput{ExclusiveStartDeliveryStreamName: aws.String("bb")}, names[2:], false},
		{api.ListDeliveryStreamsInput{ExclusiveStartDeliveryStreamName: aws.String("l")}, []string{}, false},
		{api.ListDeliveryStreamsInput{Limit: aws.Int32(1), DeliveryStreamType: types.DeliveryStreamTypeDirectPut}, names[:1], true},
		{api.ListDeliveryStreamsInput{DeliveryStreamType: types.DeliveryStreamTypeKinesisStreamAsSource}, []string{}, false},
	} {
		got, err := r.ListDeliveryStreams(ctx, &test.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got.DeliveryStreamNames); diff != "" || *got.HasMoreDeliveryStreams != test.more {
			t.Errorf("%+v: more %v, %s", test.in, *got.HasMoreDeliveryStreams, diff)
		}
	}
}

func TestAutoCreateMakesAStreamOfTheNameFirstPutTo(t *testing.T) {
	r := newRig(t, firehose.Options{AutoCreate: true, MaxStreams: 2})
	r.put(t, "new", "x")
	r.put(t, "new", "y")
	_, err := r.batch("newer", "z")
	wantCode(t, err, "LimitExceededException")
	r.close(t)
	if got := contents(t, r.dir, "new"); got != "xy" {
		t.Errorf("objects hold %q", got)
	}
}
