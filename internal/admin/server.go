// Package admin tells how the relay is doing, over HTTP on loopback: /metrics
// for Prometheus, /healthz and /readyz for whoever restarts and routes, / and
// /status.json for people and scripts, /samples.json for explain. It changes
// nothing.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kinesyslog/internal/ledger"
)

// drain is how long answers that are under way may take at shutdown.
const drain = 2 * time.Second

// Options are what a Server shows, and where. Ready, Status and Samples are called
// for each request, from several goroutines at the same time; they must not
// wait.
type Options struct {
	// Address to listen on, "127.0.0.1:9100"; port 0 takes a free one.
	Address string
	// Gatherer has all metrics but the ledger's, which the Server adds.
	Gatherer prometheus.Gatherer
	// Ledger is read once for each request, so that what one answer says of it
	// always adds up.
	Ledger *ledger.Ledger
	// Ready returns why the relay is not ready, a sentence each. None: it is.
	Ready func() []string
	// Status returns the state of what the ledger does not know.
	Status func() Status
	// Samples returns what was not understood. Message need not be filled in.
	Samples func() Samples
	// Version is shown as it is.
	Version string
	Logger  *slog.Logger
}

// Server answers on one address.
type Server struct {
	opts     Options
	started  time.Time
	listener net.Listener
	http     *http.Server
}

// New binds the address. The caller must call Run or Close.
func New(o Options) (*Server, error) {
	books := prometheus.NewRegistry()
	if err := books.Register(newCollector(o.Ledger)); err != nil {
		return nil, fmt.Errorf("cannot export the ledger: %w", err)
	}
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for metrics and status: %w: give another --prometheus-port", o.Address, err)
	}
	s := &Server{opts: o, started: time.Now(), listener: l}
	errorLog := slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{books, o.Gatherer}, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 8,
	}))
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.HandleFunc("GET /status.json", s.serveStatus)
	mux.HandleFunc("GET /samples.json", s.serveSamples)
	mux.HandleFunc("GET /{$}", s.servePage)
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          errorLog,
	}
	return s, nil
}

// Addr is what the Server is bound to.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run answers until ctx is done, and then returns nil once the answers under
// way have been given, or after two seconds.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving metrics and status on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := s.http.Shutdown(late); errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	} else if err != nil {
		return fmt.Errorf("closing %s: %w", s.Addr(), err)
	}
	return nil
}

// Close gives the address back if Run was never called.
func (s *Server) Close() error { return s.listener.Close() }

func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n")) // a client that went away needs no answer
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons"` // never null
}

func (s *Server) readiness() readiness {
	reasons := s.opts.Ready()
	return readiness{Ready: len(reasons) == 0, Reasons: append([]string{}, reasons...)}
}

func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	r := s.readiness()
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, r)
}

func (s *Server) serveStatus(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.report(time.Now()))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away needs no answer
}
