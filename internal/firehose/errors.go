package firehose

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error codes of the Firehose API, and those common to AWS's JSON services.
const (
	codeInUse            = "ResourceInUseException"
	codeNotFound         = "ResourceNotFoundException"
	codeInvalidArgument  = "InvalidArgumentException"
	codeLimitExceeded    = "LimitExceededException"
	codeUnavailable      = "ServiceUnavailableException"
	codeValidation       = "ValidationException"
	codeSerialization    = "SerializationException"
	codeUnknownOperation = "UnknownOperationException"
	codeTooLarge         = "RequestEntityTooLargeException"
	codeInternal         = "InternalFailure"
)

// apiError is an error as AWS answers it.
type apiError struct {
	status        int
	code, message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

var (
	errSlowDown         = &apiError{http.StatusServiceUnavailable, codeUnavailable, "Slow down."}
	errShuttingDown     = &apiError{http.StatusServiceUnavailable, codeUnavailable, "The embedded Firehose is shutting down."}
	errNotWritten       = &apiError{http.StatusServiceUnavailable, codeUnavailable, "The records could not be written to disk."}
	errUnknownOperation = &apiError{http.StatusBadRequest, codeUnknownOperation, "The embedded Firehose does not have this operation."}
	errNoTarget         = &apiError{
		http.StatusBadRequest, codeUnknownOperation,
		"This is the embedded Firehose of kinesyslog. A call names its operation in X-Amz-Target: " + targetPrefix + "PutRecordBatch",
	}
	errTooLarge       = &apiError{http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("Request body exceeds %d bytes.", maxBody)}
	errTooManyMembers = &apiError{http.StatusBadRequest, codeSerialization, "The request has too many members."}
	errRecordsSize    = &apiError{http.StatusBadRequest, codeInvalidArgument, "Records size exceeds 4 MB limit"}
	errDestinations   = &apiError{http.StatusBadRequest, codeInvalidArgument, "Exactly one destination configuration is supported for a Firehose"}

	// errDropConnection asks for the connection to be reset instead of an answer.
	errDropConnection = errors.New("connection dropped on purpose")
)

func invalidArgument(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, codeInvalidArgument, fmt.Sprintf(format, args...)}
}

func (s *Server) errNotFound(stream string) error {
	return &apiError{
		http.StatusBadRequest, codeNotFound,
		fmt.Sprintf("Firehose %s under account %s not found.", stream, s.opts.Account),
	}
}

func (s *Server) errInUse(stream string) error {
	return &apiError{
		http.StatusBadRequest, codeInUse,
		fmt.Sprintf("Firehose %s under accountId %s already exists", stream, s.opts.Account),
	}
}

func errLimit(limit int, names []string) error {
	const shown = 50
	list := strings.Join(names[:min(shown, len(names))], ", ")
	if len(names) > shown {
		list += ", ..."
	}
	return &apiError{
		http.StatusBadRequest, codeLimitExceeded,
		fmt.Sprintf("You have already consumed your firehose quota of %d hoses. Firehose names: [%s]", limit, list),
	}
}

// asAPIError returns err as it is answered. What is not an API error is the
// server's own failure, and the client is not told its particulars.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	return &apiError{http.StatusInternalServerError, codeInternal, "The embedded Firehose failed; its log says why."}
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.code == code
}
