package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const s3Scheme = "s3://"

// bucketReader lists and reads objects in S3. It needs s3:ListBucket and
// s3:GetObject.
type bucketReader struct{ client *s3.Client }

func newBucketReader(ctx context.Context, options Options) (*bucketReader, error) {
	var load []func(*config.LoadOptions) error
	if options.Region != "" {
		load = append(load, config.WithRegion(options.Region))
	}
	if options.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(options.Profile))
	}
	loaded, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration to read from S3: %w", err)
	}
	if loaded.Region == "" {
		loaded.Region = "us-east-1" // it says which one a bucket is in
	}
	client := s3.NewFromConfig(loaded, func(o *s3.Options) {
		if options.Endpoint != "" {
			o.BaseEndpoint = aws.String(options.Endpoint)
		}
		// Also if the environment or the profile has set it: few servers but
		// S3 have a host name for each bucket.
		o.UsePathStyle = o.BaseEndpoint != nil
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return &bucketReader{client: client}, nil
}

// objects lists what is at a URL s3://bucket/prefix.
func (r *bucketReader) objects(ctx context.Context, url string) ([]object, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(url, s3Scheme), "/")
	if bucket == "" {
		return nil, fmt.Errorf("%s names no bucket, want s3://BUCKET/PREFIX", url)
	}
	var found []object
	pages := s3.NewListObjectsV2Paginator(r.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", url, r.explain(err))
		}
		for _, entry := range page.Contents {
			key := aws.ToString(entry.Key)
			if strings.HasSuffix(key, "/") || ignored(path.Base(key)) {
				continue
			}
			modified := aws.ToTime(entry.LastModified)
			found = append(found, object{
				path: s3Scheme + bucket + "/" + key, at: sortTime(path.Base(key), modified), modified: modified,
				open: func(ctx context.Context) (io.ReadCloser, error) { return r.open(ctx, bucket, key) },
			})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("nothing in S3 begins with %s", url)
	}
	return found, nil
}

func (r *bucketReader) open(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	out, err := r.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, r.explain(err)
	}
	return out.Body, nil
}

// explain says where a bucket is that was sought in another region.
func (r *bucketReader) explain(err error) error {
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		region := response.HTTPResponse().Header.Get("X-Amz-Bucket-Region")
		if region != "" && region != r.client.Options().Region {
			return fmt.Errorf("the bucket is in %s, not %s, use --region: %w", region, r.client.Options().Region, err)
		}
	}
	return err
}
