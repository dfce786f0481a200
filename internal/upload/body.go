package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	bodyStream = `{"DeliveryStreamName":`
	bodyArray  = `,"Records":[`
	bodyRecord = `{"Data":"`
	bodyNext   = `"},`
	bodyEnd    = `]}`
)

// appendBody makes the JSON of a call in one piece of memory of the right size.
// The SDK's serializer finds its size by doubling and copies the result once
// more, which takes as much time as the signature and four times the memory.
func appendBody(in *firehose.PutRecordBatchInput) ([]byte, error) {
	stream, err := json.Marshal(aws.ToString(in.DeliveryStreamName))
	if err != nil {
		return nil, fmt.Errorf("write the name of the stream: %w", err)
	}
	size := len(bodyStream) + len(stream) + len(bodyArray) + len(bodyEnd)
	for _, r := range in.Records {
		size += len(bodyRecord) + base64.StdEncoding.EncodedLen(len(r.Data)) + len(bodyNext)
	}
	b := make([]byte, 0, size)
	b = append(b, bodyStream...)
	b = append(b, stream...)
	b = append(b, bodyArray...)
	for i, r := range in.Records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, bodyRecord...)
		b = appendBase64(b, r.Data)
		b = append(b, `"}`...)
	}
	return append(b, bodyEnd...), nil
}

// withBody sends a body instead of what the SDK has made of the input.
func withBody(body []byte) func(*firehose.Options) {
	replace := func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("request is a %T, not HTTP", in.Request)
		}
		req, err := req.SetStream(bytes.NewReader(body))
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("set the body of the request: %w", err)
		}
		in.Request = req
		return next.HandleSerialize(ctx, in)
	}
	return func(o *firehose.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("RecordsBody", replace), middleware.After)
		})
	}
}

// withoutRecords is the input with a list of records that is empty, so that the
// SDK has nothing to do for them.
func withoutRecords(in *firehose.PutRecordBatchInput) *firehose.PutRecordBatchInput {
	return &firehose.PutRecordBatchInput{DeliveryStreamName: in.DeliveryStreamName, Records: []types.Record{}}
}
