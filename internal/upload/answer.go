package upload

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"

	"kinesyslog/internal/event"
)

// sorted is a call's records by what Firehose said of each.
type sorted struct {
	accepted, refused []event.Stored
	code              string // of one of the refused
	message           string
}

// reason is why records were refused. All reasons of single records pass by
// themselves, and every one asks for less.
func (s sorted) reason() string {
	if v, ok := codes[s.code]; ok && v.class == retry {
		return v.reason
	}
	return reasonThrottled
}

// sortAnswer matches an answer with its call. An answer that contradicts
// itself, or does not fit the call, is an error: whether the records were taken
// is then not known.
func sortAnswer(recs []event.Stored, out *firehose.PutRecordBatchOutput) (sorted, error) {
	var s sorted
	if out == nil {
		return s, malformed("it is empty")
	}
	if len(out.RequestResponses) != len(recs) {
		return s, malformed("it has %d results for %d records", len(out.RequestResponses), len(recs))
	}
	for i, r := range out.RequestResponses {
		code := aws.ToString(r.ErrorCode)
		switch {
		case code != "":
			s.refused = append(s.refused, recs[i])
			s.code, s.message = code, aws.ToString(r.ErrorMessage)
		case aws.ToString(r.RecordId) != "":
			s.accepted = append(s.accepted, recs[i])
		default:
			return s, malformed("result %d has neither a record id nor an error code", i)
		}
	}
	if out.FailedPutCount != nil && int(*out.FailedPutCount) != len(s.refused) {
		return s, malformed("it says that %d records failed, and shows %d", *out.FailedPutCount, len(s.refused))
	}
	return s, nil
}
