package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// puzzled is a relay that did not understand two messages.
func puzzled() Options {
	o := options()
	o.Samples = func() Samples {
		return Samples{MaxPastSeconds: 3600, Samples: []Sample{
			{
				Reason: "invalid_utf8", Received: time.Now().Add(-90*time.Second - 500*time.Millisecond).UTC(), Listener: "udp/514", Format: "syslog", Port: "514",
				Address: "192.0.2.7", Zone: "UTC", Bytes: 4, Raw: []byte("<1>\xff"),
			},
			{
				Reason: "no_header", Received: time.Now().UTC(), Listener: "tcp/514", Format: "syslog", Port: "514",
				Address: "192.0.2.8", Zone: "Local", Bytes: 1000, Raw: []byte("<script>" + strings.Repeat("x", 500)),
			},
		}}
	}
	return o
}

func TestSamplesAreFetchedAsTheyCame(t *testing.T) {
	o := puzzled()
	got, err := FetchSamples(t.Context(), run(t, o)+"/")
	if err != nil {
		t.Fatal(err)
	}
	want := o.Samples()
	want.Samples[0].Message = "<1>\ufffd"
	want.Samples[1].Message = string(want.Samples[1].Raw)
	now := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Minute })
	if diff := cmp.Diff(want, got, now); diff != "" {
		t.Error(diff)
	}
}

func TestNoSamplesAreAnEmptyList(t *testing.T) {
	_, body := get(t, run(t, options())+"/samples.json")
	if !strings.Contains(body, `"samples": []`) {
		t.Errorf("got %s", body)
	}
}

func TestThePageShowsWhatWasNotUnderstood(t *testing.T) {
	_, body := get(t, run(t, puzzled())+"/")
	for _, want := range []string{"invalid_utf8", "192.0.2.7", "udp/514, 1m 30s ago", "&lt;1&gt;\ufffd", "&lt;script&gt;xxx", "\u2026"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(body, strings.Repeat("x", 200)) {
		t.Error("the page shows long messages whole")
	}
	if _, body := get(t, run(t, options())+"/"); strings.Contains(body, "Not understood") {
		t.Error("the page shows a heading without messages")
	}
}

func TestWhoeverAnswersForARelayIsNamed(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	empty := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer empty.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for url, want := range map[string]string{
		other.URL:   "it is no relay of this version",
		empty.URL:   "cannot be read",
		gone.URL:    "give --admin the address",
		"http://[x": "is no address of a relay",
	} {
		if _, err := FetchSamples(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}
