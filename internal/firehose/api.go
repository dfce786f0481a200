package firehose

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of what a client can make the server hold.
const (
	// maxBody is what is read of a call. 4 MiB of records are 5.6 MiB in base64;
	// the rest lets a call that is too large be refused for the right reason.
	maxBody = 16 << 20
	// maxMemory is the size of all calls that are held at a time; more wait.
	maxMemory = 128 << 20
	// maxMembers is how many commas a call may hold. 500 records have about as
	// many, and base64 has none; it bounds what a body expands to when parsed.
	maxMembers = 1 << 16
	// maxDrain is what is read and thrown away of a call that is too large, so
	// that the client has a chance to see the answer.
	maxDrain = 64 << 20
)

const (
	targetPrefix = "Firehose_20150804."
	contentJSON  = "application/x-amz-json-1.1"
	contentForm  = "application/x-www-form-urlencoded"
)

// operations of the Firehose API. Each takes the call's body and returns the
// answer to be written as JSON, or an error.
var operations = map[string]func(*Server, []byte) (any, error){
	"CreateDeliveryStream":   (*Server).createDeliveryStream,
	"DescribeDeliveryStream": (*Server).describeDeliveryStream,
	"ListDeliveryStreams":    (*Server).listDeliveryStreams,
	"DeleteDeliveryStream":   (*Server).deleteDeliveryStream,
	"PutRecord":              (*Server).putRecord,
	"PutRecordBatch":         (*Server).putRecordBatch,
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_faults":
		s.serveFaults(w, r)
		return
	case "/_stats":
		answerJSON(w, http.StatusOK, "application/json", s.Stats())
		return
	}
	if !s.faults.admit(r.Context()) {
		s.counts.drop()
		resetConnection(w)
		return
	}
	w.Header().Set("X-Amzn-Requestid", newUUID())
	body, free, err := s.readBody(r)
	defer free()
	switch {
	case errors.Is(err, errTooLarge):
		s.refuse(w, "unknown", err)
	case err != nil:
		// The client is gone, or too slow. Anything it could take for an answer
		// would be wrong.
		s.opts.Logger.Debug("reading a call to the embedded firehose", "error", err)
		resetConnection(w)
	case r.Header.Get("X-Amz-Target") != "":
		s.serveFirehose(w, r.Header.Get("X-Amz-Target"), body)
	case strings.HasPrefix(r.Header.Get("Content-Type"), contentForm) || r.URL.Query().Has("Action"):
		s.serveSTS(w, r, body)
	default:
		s.refuse(w, "unknown", errNoTarget)
	}
}

func (s *Server) serveFirehose(w http.ResponseWriter, target string, body []byte) {
	name, ok := strings.CutPrefix(target, targetPrefix)
	operation := operations[name]
	if !ok || operation == nil {
		s.refuse(w, "unknown", errUnknownOperation)
		return
	}
	answer, err := operation(s, body)
	switch {
	case errors.Is(err, errDropConnection):
		s.counts.drop()
		resetConnection(w)
	case err != nil:
		s.refuse(w, name, err)
	default:
		s.counts.call(name, "")
		answerJSON(w, http.StatusOK, contentJSON, answer)
	}
}

// readBody reads a call. free must be called when the body, and all that was
// made from it, is done with.
func (s *Server) readBody(r *http.Request) (body []byte, free func(), err error) {
	size := r.ContentLength
	if size < 0 {
		size = maxBody
	}
	if size > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		return nil, func() {}, errTooLarge
	}
	if err := s.memory.Acquire(r.Context(), size); err != nil {
		return nil, func() {}, err
	}
	free = func() { s.memory.Release(size) }
	if r.ContentLength >= 0 {
		body = make([]byte, size)
		_, err = io.ReadFull(r.Body, body)
		return body, free, err
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain)
		err = errTooLarge
	}
	return body, free, err
}

// parse reads a call's body. As in AWS, unknown members are passed over.
func parse[T any](body []byte) (*T, error) {
	if bytes.Count(body, []byte{','}) > maxMembers {
		return nil, errTooManyMembers
	}
	request := new(T)
	if err := json.Unmarshal(body, request); err != nil {
		return nil, &apiError{http.StatusBadRequest, codeSerialization, err.Error()}
	}
	return request, nil
}

// refuse answers with an error, and counts it.
func (s *Server) refuse(w http.ResponseWriter, operation string, err error) {
	e := asAPIError(err)
	if e.code == codeInternal {
		s.opts.Logger.Error("a call to the embedded firehose failed", "operation", operation, "error", err)
	}
	s.counts.call(operation, e.code)
	w.Header().Set("X-Amzn-Errortype", e.code)
	answerJSON(w, e.status, contentJSON, map[string]string{"__type": e.code, "message": e.message})
}

func answerJSON(w http.ResponseWriter, status int, contentType string, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// epoch is a time as AWS writes it in JSON: seconds since 1970, with a fraction.
type epoch time.Time

// MarshalJSON implements json.Marshaler.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}
