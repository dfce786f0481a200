package upload

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"kinesyslog/internal/yardstick"
)

// BenchmarkYardstick makes the body of a full call, of records that are like
// compressed ones: bytes at random. encoding/json writes bytes as base64 too. A
// message has 56 bytes of a record.
func BenchmarkYardstick(b *testing.B) {
	const records, size = 8, 500 << 10
	r := rand.New(rand.NewPCG(1, 2))
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: aws.String("logs")}
	for range records {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		in.Records = append(in.Records, types.Record{Data: data})
	}
	const messages = records * size / 56
	b.Run("body/ours", func(b *testing.B) {
		yardstick.Measure(b, messages, records*size, func() {
			if _, err := appendBody(in); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("body/encoding_json", func(b *testing.B) {
		var call struct {
			DeliveryStreamName string
			Records            []struct{ Data []byte }
		}
		call.DeliveryStreamName = *in.DeliveryStreamName
		for _, record := range in.Records {
			call.Records = append(call.Records, struct{ Data []byte }{record.Data})
		}
		yardstick.Measure(b, messages, records*size, func() {
			if _, err := json.Marshal(call); err != nil {
				b.Fatal(err)
			}
		})
	})
}
