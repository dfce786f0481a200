package firehose_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kinesyslog/internal/firehose"
)

func TestCallerIdentityNamesTheAccount(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, firehose.Options{Account: "210987654321"})
	client := sts.New(sts.Options{
		BaseEndpoint: aws.String(r.url),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("x", "y", ""),
		Retryer:      aws.NopRetryer{},
	})
	got, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *got.Account != "210987654321" || *got.Arn != "arn:aws:iam::210987654321:user/kinesyslog" || *got.UserId == "" {
		t.Errorf("%s %s %s", *got.Account, *got.Arn, *got.UserId)
	}
	_, err = client.GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	wantCode(t, err, "InvalidAction")
}
