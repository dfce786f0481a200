package firehose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"
)

// Faults are what goes wrong on request. The zero value is a service without
// fault. In JSON the members have the same names in lower camel case, and
// latency is a duration such as "20ms".
type Faults struct {
	// FailRequests is the probability that PutRecord or PutRecordBatch answers
	// ServiceUnavailableException and takes nothing.
	FailRequests float64
	// FailRecords is the probability that one record of a call is not taken,
	// with ServiceUnavailableException in its place in RequestResponses.
	FailRecords float64
	// DropConnections is the probability that PutRecord or PutRecordBatch gets a
	// TCP reset for an answer. In half of the cases the records were taken, so
	// that a client which sends again makes duplicates, as it does with AWS.
	DropConnections float64
	// Latency passes before each call is looked at. At most one minute.
	Latency time.Duration
	// ThrottleBytes is how many bytes of records are taken in a second; records
	// beyond it fail one by one. 0 is no limit. A pause saves up one second, or
	// one record of the greatest size where that is more.
	ThrottleBytes int64
	// Outage resets the connection of every call.
	Outage bool
	// Seed makes chance repeatable, for one order of calls.
	Seed uint64
}

type faultsJSON struct {
	FailRequests    float64 `json:"failRequests"`
	FailRecords     float64 `json:"failRecords"`
	DropConnections float64 `json:"dropConnections"`
	Latency         string  `json:"latency"`
	ThrottleBytes   int64   `json:"throttleBytes"`
	Outage          bool    `json:"outage"`
	Seed            uint64  `json:"seed"`
}

func (f Faults) json() faultsJSON {
	return faultsJSON{f.FailRequests, f.FailRecords, f.DropConnections, f.Latency.String(), f.ThrottleBytes, f.Outage, f.Seed}
}

func (j faultsJSON) faults() (f Faults, err error) {
	f = Faults{j.FailRequests, j.FailRecords, j.DropConnections, 0, j.ThrottleBytes, j.Outage, j.Seed}
	f.Latency, err = time.ParseDuration(j.Latency)
	return f, err
}

func (f Faults) validate() error {
	for _, p := range []float64{f.FailRequests, f.FailRecords, f.DropConnections} {
		if !(p >= 0 && p <= 1) { // NaN is none either
			return fmt.Errorf("%v is not a probability between 0 and 1", p)
		}
	}
	if f.Latency < 0 || f.Latency > time.Minute {
		return fmt.Errorf("latency %v is not between 0 and 1m", f.Latency)
	}
	if f.ThrottleBytes < 0 {
		return errors.New("throttleBytes must not be negative")
	}
	return nil
}

// fate is what becomes of a call.
type fate int

const (
	succeed fate = iota
	failCall
	dropTaken
	dropUntaken
)

// injector decides what goes wrong.
type injector struct {
	mu     sync.Mutex
	faults Faults
	chance *rand.Rand
	level  float64   // bytes that may be taken now
	filled time.Time // when level was right
}

func newInjector(f Faults) (*injector, error) {
	i := &injector{}
	return i, i.set(f)
}

// set begins anew with other faults.
func (i *injector) set(f Faults) error {
	if err := f.validate(); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = f
	i.chance = rand.New(rand.NewPCG(f.Seed, 0))
	i.level = i.depth()
	i.filled = time.Now()
	return nil
}

func (i *injector) get() Faults {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.faults
}

func (i *injector) depth() float64 { return float64(max(i.faults.ThrottleBytes, maxRecordBytes)) }

// admit lets the latency pass, and reports whether a call is to be answered.
func (i *injector) admit(ctx context.Context) bool {
	f := i.get()
	if f.Latency > 0 {
		timer := time.NewTimer(f.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return !f.Outage
}

// call decides over a call that puts records.
func (i *injector) call() fate {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.roll(i.faults.FailRequests):
		return failCall
	case !i.roll(i.faults.DropConnections):
		return succeed
	case i.roll(0.5):
		return dropTaken
	}
	return dropUntaken
}

// record reports whether a record is to be taken.
func (i *injector) record(size int, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.roll(i.faults.FailRecords) {
		return false
	}
	if i.faults.ThrottleBytes == 0 {
		return true
	}
	if passed := now.Sub(i.filled); passed > 0 {
		i.level = min(i.depth(), i.level+passed.Seconds()*float64(i.faults.ThrottleBytes))
		i.filled = now
	}
	if i.level < float64(size) {
		return false
	}
	i.level -= float64(size)
	return true
}

func (i *injector) roll(p float64) bool { return p > 0 && i.chance.Float64() < p }

// serveFaults shows the faults, and takes others. Members that are not given
// stay as they are. A POST must say that it is JSON, so that no web page can
// send it.
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	const contentType = "application/json"
	if r.Method == http.MethodPost {
		if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != contentType {
			http.Error(w, "Content-Type must be "+contentType+" (curl --json)", http.StatusUnsupportedMediaType)
			return
		}
		settings := s.faults.get().json()
		decoder := json.NewDecoder(io.LimitReader(r.Body, 64<<10))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&settings)
		if err == nil {
			var f Faults
			if f, err = settings.faults(); err == nil {
				err = s.faults.set(f)
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	answerJSON(w, http.StatusOK, contentType, s.faults.get().json())
}

// resetConnection ends the connection with a TCP reset and no answer.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // how a handler of net/http gives up a connection
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
