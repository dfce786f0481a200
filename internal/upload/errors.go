package upload

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// class is what is to be done after a call that failed as a whole.
type class int

const (
	retry         class = iota // it may go well the next time
	throttled                  // the same, but the stream wants less
	misconfigured              // somebody has to mend something; keep everything
	poisoned                   // at least one record is not acceptable: bisect
	cancelled                  // we ended the call ourselves
)

// Reasons are metrics labels, and keys of what to do about them.
const (
	reasonNetwork     = "network"
	reasonTimeout     = "timeout"
	reasonServer      = "server"
	reasonMalformed   = "malformed_answer"
	reasonThrottled   = "throttled"
	reasonCredentials = "credentials"
	reasonExpired     = "expired_token"
	reasonClock       = "clock_skew"
	reasonAccess      = "access_denied"
	reasonRole        = "assume_role"
	reasonNoStream    = "no_stream"
	reasonKMS         = "kms"
	reasonSource      = "wrong_source"
	reasonRegion      = "region"
	reasonSetup       = "configuration"
	reasonTLS         = "tls"
	reasonEndpoint    = "endpoint"
	reasonInvalid     = "invalid"
	reasonUnknown     = "unknown"
	reasonCancelled   = "cancelled"
)

// fault is an error together with what it means.
type fault struct {
	class  class
	reason string
	code   string // AWS's error code, or "" where none was answered
	err    error
}

func (f fault) hint() string { return hints[f.reason] }

// Errors of the AWS side that come before a request is sent.
var (
	// ErrNoRegion says that nothing names a region.
	ErrNoRegion = errors.New("no AWS region is configured")
	// ErrConfiguration says that the SDK could not make sense of its files or
	// its environment.
	ErrConfiguration = errors.New("AWS configuration cannot be loaded")
	// ErrCredentials says that credentials could not be had.
	ErrCredentials = errors.New("no AWS credentials")

	errMalformed = errors.New("malformed answer")
)

// classify tells what an error of PutRecordBatch means. What it does not know
// it takes for a fault of the configuration: nothing is thrown away for it, and
// it is tried again, slowly.
func classify(ctx context.Context, err error) fault {
	f := fault{err: err}
	var api smithy.APIError
	if errors.As(err, &api) {
		f.code = api.ErrorCode()
	}
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		f.class, f.reason = cancelled, reasonCancelled
	case errors.Is(err, ErrNoRegion):
		f.class, f.reason = misconfigured, reasonRegion
	case errors.Is(err, ErrConfiguration):
		f.class, f.reason = misconfigured, reasonSetup
	case errors.Is(err, ErrCredentials):
		f.class, f.reason = credentialFault(err)
	case errors.Is(err, errMalformed):
		f.class, f.reason = retry, reasonMalformed
	default:
		f.class, f.reason = meaning(err, api)
	}
	return f
}

// credentialsError marks an error of the credential chain, which happens inside
// a call and otherwise looks like an error of that call.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string        { return "get AWS credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error        { return e.err }
func (e *credentialsError) Is(target error) bool { return target == ErrCredentials }

// credentialFault tells a network that is down, or an STS that is, from
// credentials that are not there. Instance metadata that does not answer means
// that there is none.
func credentialFault(err error) (class, string) {
	var marked *credentialsError
	if errors.As(err, &marked) {
		err = marked.err
	}
	var op *smithy.OperationError
	if !errors.As(err, &op) || fromMetadata(err) {
		return misconfigured, reasonCredentials
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch v := codes[api.ErrorCode()]; {
		case v.reason == reasonThrottled, v.reason == reasonServer:
			return retry, v.reason
		case v.reason == reasonExpired, v.reason == reasonClock:
			return misconfigured, v.reason
		case v.reason == reasonAccess && strings.HasPrefix(op.OperationName, "AssumeRole"):
			return misconfigured, reasonRole
		}
		return misconfigured, reasonCredentials
	}
	if c, reason := transport(err); reason != "" {
		return c, reason
	}
	return misconfigured, reasonCredentials
}

// fromMetadata reports whether an error comes from the instance's metadata.
func fromMetadata(err error) bool {
	var op *smithy.OperationError
	for errors.As(err, &op) {
		if op.ServiceID == imds.ServiceID {
			return true
		}
		err = op.Err
	}
	return false
}

func meaning(err error, api smithy.APIError) (class, string) {
	status := 0
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	if api != nil {
		if v, ok := codes[api.ErrorCode()]; ok {
			return refine(v, api.ErrorMessage())
		}
		if strings.HasPrefix(api.ErrorCode(), "KMS") {
			return misconfigured, reasonKMS
		}
	}
	if c, reason := transport(err); reason != "" {
		return c, reason
	}
	switch {
	case status == http.StatusTooManyRequests:
		return throttled, reasonThrottled
	case status == http.StatusRequestTimeout:
		return retry, reasonTimeout
	case status >= 500:
		return retry, reasonServer
	case status == http.StatusRequestEntityTooLarge:
		return poisoned, reasonInvalid
	case status >= 300:
		return misconfigured, reasonEndpoint
	case status == http.StatusOK:
		return retry, reasonMalformed
	}
	return misconfigured, reasonUnknown
}

// refine looks at the message where a code alone does not say enough.
func refine(v verdict, message string) (class, string) {
	m := strings.ToLower(message)
	switch {
	case v.reason == reasonCredentials && (strings.Contains(m, "signature expired") || strings.Contains(m, "signature not yet current")):
		return misconfigured, reasonClock
	case v.class == poisoned && strings.Contains(m, "delivery stream type"):
		// A stream that reads from Kinesis refuses every put.
		return misconfigured, reasonSource
	case v.class == poisoned && strings.Contains(m, "deliverystreamname"):
		return misconfigured, reasonNoStream
	}
	return v.class, v.reason
}

// transport recognises errors below HTTP. reason is "" for others.
func transport(err error) (class, string) {
	var (
		certificate *tls.CertificateVerificationError
		decode      *smithy.DeserializationError
		send        *smithyhttp.RequestSendError
		request     *url.Error
		socket      *net.OpError
	)
	sending := errors.As(err, &send) || errors.As(err, &request) || errors.As(err, &socket)
	var slow net.Error
	switch {
	case errors.As(err, &certificate):
		return misconfigured, reasonTLS
	case errors.Is(err, context.DeadlineExceeded), sending && errors.As(err, &slow) && slow.Timeout():
		return retry, reasonTimeout
	case sending:
		return retry, reasonNetwork
	case errors.As(err, &decode) && !hasStatus(err):
		return retry, reasonMalformed
	}
	return 0, ""
}

// hasStatus reports whether an error came with a status that is not success.
func hasStatus(err error) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() >= 300
}

// malformed is the error for an answer that does not fit its call.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errMalformed}, args...)...)
}
