package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Samples are the last few messages that were not understood, by reason, the
// latest first.
type Samples struct {
	// MaxPastSeconds and MaxFutureSeconds are what --max-skew says; 0 is no
	// limit.
	MaxPastSeconds   int64    `json:"max_past_seconds"`
	MaxFutureSeconds int64    `json:"max_future_seconds"`
	Samples          []Sample `json:"samples"` // never null in an answer
}

// Sample is one of them.
type Sample struct {
	Reason   string    `json:"reason"`
	Received time.Time `json:"received"`
	Listener string    `json:"listener"`
	Format   string    `json:"format"` // "syslog" or "gelf"
	Port     string    `json:"port"`
	Address  string    `json:"address"` // of the sender
	Zone     string    `json:"zone"`    // of the sender's clock; "Local" is the relay's own
	Bytes    int       `json:"bytes"`   // of the whole message
	Message  string    `json:"message"` // the start of it, for reading
	Raw      []byte    `json:"raw"`     // the same as it came, in base64
}

// samples asks for what is to be shown, and makes it fit for JSON.
func (s *Server) samples() Samples {
	all := s.opts.Samples()
	all.Samples = append([]Sample{}, all.Samples...)
	for i := range all.Samples {
		of := &all.Samples[i]
		of.Message = strings.ToValidUTF8(string(of.Raw), "\ufffd")
	}
	return all
}

func (s *Server) serveSamples(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.samples())
}

// maxAnswer bounds what FetchSamples reads.
const maxAnswer = 4 << 20

// FetchSamples asks the relay whose admin server is at a URL such as
// http://127.0.0.1:9100.
func FetchSamples(ctx context.Context, url string) (all Samples, err error) {
	url = strings.TrimSuffix(url, "/") + "/samples.json"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return all, fmt.Errorf("%s is no address of a relay: %w", url, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return all, fmt.Errorf("no relay answers: %w: give --admin the address at which kinesyslog listen --prometheus-port PORT listens", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return all, fmt.Errorf("%s answers %s: it is no relay of this version", url, answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&all); err != nil {
		return all, fmt.Errorf("what %s answers cannot be read: %w", url, err)
	}
	return all, nil
}
