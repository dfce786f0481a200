package admin

import (
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
