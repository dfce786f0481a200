package admin

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
)

// options are those of a relay at which nothing has happened yet.
func options() Options {
	return Options{
		Address:  "127.0.0.1:0",
		Gatherer: prometheus.NewRegistry(),
		Ledger:   ledger.New(),
		Ready:    func() []string { return nil },
		Status:   func() Status { return Status{Stream: "s"} },
		Samples:  func() Samples { return Samples{} },
		Version:  "v1.2.3",
		Logger:   slog.New(slog.DiscardHandler),
	}
}

// run starts a Server that ends with the test, and returns its URL.
func run(t *testing.T, o Options) string {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr().String()
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestHealthIsAliveEvenIfNotReady(t *testing.T) {
	o := options()
	o.Ready = func() []string { return []string{"the stream was deleted"} }
	resp, body := get(t, run(t, o)+"/healthz")
	if resp.StatusCode != http.StatusOK || body != "alive\n" {
		t.Errorf("got %d %q", resp.StatusCode, body)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	var reasons []string
	o := options()
	o.Ready = func() []string { return reasons }
	url := run(t, o) + "/readyz"
	for _, tt := range []struct {
		reasons []string
		status  int
		want    readiness
	}{
		{nil, http.StatusOK, readiness{true, []string{}}},
		{[]string{"a \"quoted\" reason", "another"}, http.StatusServiceUnavailable, readiness{false, []string{"a \"quoted\" reason", "another"}}},
	} {
		reasons = tt.reasons
		resp, body := get(t, url)
		var got readiness
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || resp.StatusCode != tt.status {
			t.Errorf("status %d, want %d; %s", resp.StatusCode, tt.status, diff)
		}
		if resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("content type %q", resp.Header.Get("Content-Type"))
		}
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	url := run(t, options())
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/status.json"} {
		resp, err := http.Post(url+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: status %d", path, resp.StatusCode)
		}
	}
	if resp, _ := get(t, url+"/other"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET /other: status %d", resp.StatusCode)
	}
}

func TestMetricsOfTheStagesAreServedBesideTheLedger(t *testing.T) {
	o := options()
	registry := prometheus.NewRegistry()
	calls := prometheus.NewCounter(prometheus.CounterOpts{Name: "kinesyslog_upload_calls_total", Help: "Calls."})
	registry.MustRegister(calls)
	calls.Add(3)
	o.Gatherer = registry
	o.Ledger.Receive("udp/514", 5, 500)
	_, body := get(t, run(t, o)+"/metrics")
	for _, want := range []string{
		"kinesyslog_upload_calls_total 3\n",
		"kinesyslog_messages_received_total{listener=\"udp/514\"} 5\n",
		"kinesyslog_messages_received_bytes_total{listener=\"udp/514\"} 500\n",
		"kinesyslog_messages_held{listener=\"udp/514\",place=\"journal\"} 5\n",
		"kinesyslog_ledger_difference{listener=\"udp/514\"} 0\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no line %q in\n%s", want, body)
		}
	}
}

func TestAPortInUseSaysWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := options()
	o.Address = l.Addr().String()
	_, err = New(o)
	if err == nil || !strings.Contains(err.Error(), o.Address) || !strings.Contains(err.Error(), "give another --prometheus-port") {
		t.Errorf("got %v", err)
	}
}

func TestRunEndsInTimeWithAClientThatDoesNotRead(t *testing.T) {
	s, err := New(options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"); err != nil { // and no more
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * drain):
		t.Error("still running")
	}
}
