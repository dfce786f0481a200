package admin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kinesyslog/internal/ledger"
)

// busy is a relay with something in every field.
func busy() Options {
	o := options()
	o.Ledger.Receive("tls/6514", 1_234_567, 300_000_000)
	o.Ledger.Move("tls/6514", ledger.Journal, ledger.Spool, 1_000_000)
	o.Ledger.Deliver("tls/6514", ledger.Spool, 900_000)
	o.Ledger.Move("tls/6514", ledger.Spool, ledger.DeadLetters, 500)
	o.Ledger.Drop("tls/6514", "too long <b>", 7, 70)
	o.Ledger.Recover("udp/514", ledger.Spool, 12)
	o.Ready = func() []string { return []string{"access denied <script>"} }
	o.Status = func() Status {
		return Status{
			Stream: "logs", Region: "eu-north-1",
			Listeners: []Listener{
				{Name: "tls/6514", Network: "tls", Address: "0.0.0.0:6514", Fingerprint: "sha-256:AA:BB"},
				{Name: "tcp/514", Network: "tcp", Address: "0.0.0.0:514"},
			},
			Spool: Spool{
				Dir: "/var/lib/kinesyslog", Bytes: 5 << 30, MaxBytes: 80 << 30, Records: 42, DeadLetters: 2,
				Oldest: time.Now().Add(-90*time.Minute - 30*time.Second),
			},
			Upload: Upload{State: "retrying", Reason: "AccessDenied", InFlight: 3, LastDelivery: time.Now().Add(-time.Hour - 30*time.Second)},
			Bill:   Bill{Records: 200, RawBytes: 8 << 20, SentBytes: 1 << 19, BilledBytes: 1 << 20, PricePerGB: 0.08},

			Compression: Compression{Level: 8, Auto: true},
		}
	}
	return o
}

func TestTheStatusJoinsListenersAndBooks(t *testing.T) {
	resp, body := get(t, run(t, busy())+"/status.json")
	if resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	var got report
	dec := json.NewDecoder(strings.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	held := func(journal, spool, dead uint64) map[string]uint64 {
		return map[string]uint64{"journal": journal, "spool": spool, "dead_letters": dead}
	}
	want := []Account{
		{
			Name: "tls/6514", Network: "tls", Address: "0.0.0.0:6514", Fingerprint: "sha-256:AA:BB",
			Received: 1_234_574, ReceivedBytes: 300_000_070, Delivered: 900_000, Held: held(234_567, 99_500, 500),
			Dropped: map[string]uint64{"too long <b>": 7},
		},
		{Name: "tcp/514", Network: "tcp", Address: "0.0.0.0:514", Held: held(0, 0, 0), Dropped: map[string]uint64{}},
		{Name: "udp/514", Recovered: 12, Held: held(0, 12, 0), Dropped: map[string]uint64{}},
	}
	if diff := cmp.Diff(want, got.Listeners, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if got.Bill.BilledBytes != 1<<20 || got.Bill.CostPerRawGB != 0.01 || got.Compression != (Compression{Level: 8, Auto: true}) {
		t.Errorf("got bill %+v and compression %+v", got.Bill, got.Compression)
	}
	if got.Ready || len(got.Reasons) != 1 || got.Version != "v1.2.3" || got.Stream != "logs" || got.Upload.Reason != "AccessDenied" {
		t.Errorf("got %s", body)
	}
}

func TestThePageShowsWhatANightShiftNeeds(t *testing.T) {
	resp, body := get(t, run(t, busy())+"/")
	for _, want := range []string{
		"<title>NOT READY - kinesyslog logs</title>", "access denied &lt;script&gt;",
		"logs in eu-north-1", "retrying: AccessDenied, calls under way: 3", "1h 0m ago",
		"5.0 GiB of 80.0 GiB in /var/lib/kinesyslog", "42, the oldest for 1h 30m", "<th>Dead letters</th><td>2</td>",
		"1,234,574", "286.1 MiB", `<span class="bad">7</span> too long &lt;b&gt;`, "balanced",
		"raw 8.0 MiB, sent 512.0 KiB, billed 1.0 MiB: 0.0100 USD per raw GB at 0.08 USD per GB; 2.0 times as much", "gzip level 8, as the processors&#39; load allows",
		"tls 0.0.0.0:6514", "sha-256:AA:BB", "from an earlier configuration",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	if strings.Contains(body, "<script") {
		t.Error("the page has a script")
	}
	if got := resp.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if t.Failed() {
		t.Log(body)
	}
}

func TestThePageOfAQuietRelay(t *testing.T) {
	_, body := get(t, run(t, options())+"/")
	for _, want := range []string{"<title>READY - kinesyslog s</title>", "none yet", `<span class="good">READY</span>`} {
		if !strings.Contains(body, want) {
			t.Errorf("not on the page: %s\n%s", want, body)
		}
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := formatCount(in); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
	for in, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 1 << 62: "4.0 EiB"} {
		if got := formatBytes(in); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
	now := time.Now()
	for in, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m 30s", 25 * time.Hour: "1d 1h", 3 * time.Hour: "3h 0m",
	} {
		if got := formatSince(now.Add(-in), now); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
