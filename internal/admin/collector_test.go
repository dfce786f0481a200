package admin

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kinesyslog/internal/ledger"
)

var sample = regexp.MustCompile(`(?m)^(kinesyslog_\w+)\{listener="([^"]*)"[^}]*\} (\S+)$`)

// sums adds up the samples of a scrape by listener and metric.
func sums(t *testing.T, scrape string) map[string]map[string]float64 {
	t.Helper()
	out := map[string]map[string]float64{}
	for _, m := range sample.FindAllStringSubmatch(scrape, -1) {
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		if out[m[2]] == nil {
			out[m[2]] = map[string]float64{}
		}
		out[m[2]][strings.TrimPrefix(m[1], "kinesyslog_")] += v
	}
	return out
}

func TestTheLedgerBalancesWithinEveryScrape(t *testing.T) {
	o := options()
	url := run(t, o) + "/metrics"
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		listener := fmt.Sprintf("tcp/%d", i%2)
		wg.Go(func() {
			for n := uint64(1); ; n = n%97 + 1 {
				select {
				case <-stop:
					return
				default:
				}
				o.Ledger.Receive(listener, 3*n, 100*n)
				o.Ledger.Drop(listener, "full", n, n)
				o.Ledger.Recover(listener, ledger.Spool, n)
				o.Ledger.Move(listener, ledger.Journal, ledger.Spool, 2*n)
				o.Ledger.Lose(listener, ledger.Journal, "damaged", n)
				o.Ledger.Move(listener, ledger.Spool, ledger.DeadLetters, n)
				o.Ledger.Deliver(listener, ledger.Spool, n)
			}
		})
	}
	var last float64
	for range 25 {
		_, scrape := get(t, url)
		for listener, v := range sums(t, scrape) {
			in := v["messages_received_total"] + v["messages_recovered_total"]
			out := v["messages_delivered_total"] + v["messages_held"] + v["messages_dropped_total"]
			if in != out || v["ledger_difference"] != 0 {
				t.Fatalf("%s: received + recovered = %.0f, delivered + held + dropped = %.0f, difference %.0f", listener, in, out, v["ledger_difference"])
			}
			last = max(last, in)
		}
	}
	close(stop)
	wg.Wait()
	if last == 0 {
		t.Error("no message was ever seen")
	}
}

func TestAListenerIsThereBeforeItsFirstMessage(t *testing.T) {
	o := options()
	o.Ledger.Open("tls/6514")
	_, scrape := get(t, run(t, o)+"/metrics")
	if v, ok := sums(t, scrape)["tls/6514"]; !ok || v["messages_received_total"] != 0 {
		t.Errorf("not in\n%s", scrape)
	}
}
