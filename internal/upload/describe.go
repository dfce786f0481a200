package upload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
)

// Description is what matters of a delivery stream.
type Description struct {
	ARN, Status, Type string
	// Destinations are names like "s3" and "splunk".
	Destinations []string
	// Encryption is the status of server-side encryption.
	Encryption string
	// Decompression says that the stream decompresses what it takes, and so
	// takes nothing but what CloudWatch Logs puts.
	Decompression bool
}

// Describe asks Firehose what the stream is like. It needs the permission
// firehose:DescribeDeliveryStream.
func (c *AWSClient) Describe(ctx context.Context, stream string) (Description, error) {
	s, err := c.services(ctx)
	if err != nil {
		return Description{}, err
	}
	out, err := s.firehose.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String(stream)})
	if err != nil {
		c.reconsider(s, classify(ctx, err))
		return Description{}, fmt.Errorf("describe delivery stream %s: %w", stream, err)
	}
	in := out.DeliveryStreamDescription
	if in == nil {
		return Description{}, malformed("the description of %s is empty", stream)
	}
	d := Description{ARN: aws.ToString(in.DeliveryStreamARN), Status: string(in.DeliveryStreamStatus), Type: string(in.DeliveryStreamType)}
	if e := in.DeliveryStreamEncryptionConfiguration; e != nil {
		d.Encryption = string(e.Status)
	}
	for _, destination := range in.Destinations {
		d.add(destination)
	}
	return d, nil
}

// add notes a destination and how it processes records.
func (d *Description) add(in types.DestinationDescription) {
	note := func(name string, p *types.ProcessingConfiguration) {
		d.Destinations = append(d.Destinations, name)
		if p == nil || p.Enabled != nil && !*p.Enabled {
			return
		}
		d.Decompression = d.Decompression || slices.ContainsFunc(p.Processors, func(p types.Processor) bool {
			return p.Type == types.ProcessorTypeDecompression || p.Type == types.ProcessorTypeCloudWatchLogProcessing
		})
	}
	if x := in.ExtendedS3DestinationDescription; x != nil {
		note("s3", x.ProcessingConfiguration)
	} else if in.S3DestinationDescription != nil {
		note("s3", nil)
	}
	if x := in.SplunkDestinationDescription; x != nil {
		note("splunk", x.ProcessingConfiguration)
	}
	if x := in.HttpEndpointDestinationDescription; x != nil {
		note("http", x.ProcessingConfiguration)
	}
	if x := in.AmazonopensearchserviceDestinationDescription; x != nil {
		note("opensearch", x.ProcessingConfiguration)
	}
	if x := in.AmazonOpenSearchServerlessDestinationDescription; x != nil {
		note("opensearch-serverless", x.ProcessingConfiguration)
	}
	if x := in.ElasticsearchDestinationDescription; x != nil {
		note("elasticsearch", x.ProcessingConfiguration)
	}
	if x := in.RedshiftDestinationDescription; x != nil {
		note("redshift", x.ProcessingConfiguration)
	}
	if x := in.IcebergDestinationDescription; x != nil {
		note("iceberg", x.ProcessingConfiguration)
	}
	if x := in.SnowflakeDestinationDescription; x != nil {
		note("snowflake", x.ProcessingConfiguration)
	}
}

// Account is the account in the stream's ARN, or "".
func (d Description) Account() string {
	if parts := strings.Split(d.ARN, ":"); len(parts) > 5 && len(parts[4]) == 12 {
		return parts[4]
	}
	return ""
}

// Findings are reasons why the stream would not take records.
func (d Description) Findings() []Finding {
	var out []Finding
	if d.Status != string(types.DeliveryStreamStatusActive) {
		out = append(out, Finding{Level: Warning, Text: "the delivery stream is " + d.Status, Hint: "records are kept until it is ACTIVE"})
	}
	if d.Type != "" && d.Type != string(types.DeliveryStreamTypeDirectPut) {
		out = append(out, Finding{Level: Failure, Text: "the delivery stream is of type " + d.Type + " and refuses direct puts", Hint: "use a stream of type DirectPut"})
	}
	if d.Decompression {
		out = append(out, Finding{
			Level: Failure, Text: "the delivery stream has CloudWatch Logs decompression switched on and refuses every producer but CloudWatch",
			Hint: "switch decompression and message extraction off in the stream's configuration; a Lambda may do it instead",
		})
	}
	if strings.HasSuffix(d.Encryption, "_FAILED") {
		out = append(out, Finding{Level: Warning, Text: "server-side encryption of the delivery stream is " + d.Encryption, Hint: hints[reasonKMS]})
	}
	return out
}
