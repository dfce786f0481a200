package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// Level says how bad a finding is.
type Level string

// The levels of findings.
const (
	Fine    Level = "ok"
	Warning Level = "warning"
	Failure Level = "failure" // records would not be delivered
)

// Finding is one thing that was looked at.
type Finding struct {
	Level Level
	Text  string
	Hint  string // what to do; "" where all is well
}

// Check tries everything that delivery needs, but for a put: region,
// credentials, STS, and the stream if it may be described. It stops where there
// is no sense in going on.
func Check(ctx context.Context, client *AWSClient, stream string) []Finding {
	var out []Finding
	fine := func(format string, args ...any) {
		out = append(out, Finding{Level: Fine, Text: fmt.Sprintf(format, args...)})
	}
	bad := func(level Level, what string, err error) {
		f := classify(ctx, err)
		out = append(out, Finding{Level: level, Text: fmt.Sprintf("%s: %v", what, err), Hint: f.hint()})
	}

	s, err := client.services(ctx)
	if err != nil {
		bad(Failure, "configuration", err)
		return out
	}
	fine("region %s", s.region)
	v, err := s.credentials.Retrieve(ctx)
	if err != nil {
		bad(Failure, "credentials", err)
		return out
	}
	fine("credentials from %s", v.Source)

	caller, err := client.Caller(ctx)
	if err != nil {
		bad(Warning, "STS", err)
	} else {
		fine("account %s, identity %s", caller.Account, caller.ARN)
	}

	d, err := client.Describe(ctx, stream)
	var answer smithy.APIError
	switch {
	case err == nil:
		fine("delivery stream %s is %s", d.ARN, d.Status)
		return append(out, d.Findings()...)
	case errors.As(err, &answer) && classify(ctx, err).reason == reasonAccess:
		out = append(out, Finding{
			Level: Warning, Text: fmt.Sprintf("stream: %v", err),
			Hint: "whether the stream is there cannot be checked; delivery itself only needs firehose:PutRecordBatch",
		})
	default:
		bad(Failure, "stream", err)
	}
	return out
}
