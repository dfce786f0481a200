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

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// FetchSamples asks the relay whose admin server is at a URL such as
// http://127.0.0.1:9100.
func FetchSamples(ctx context.Context, url string) (all Samples, err error) {
	return all, fetch(ctx, url, "/samples.json", &all)
}

// FetchAccounts asks it for the books of its listeners, and why it is not
// ready, a sentence each.
func FetchAccounts(ctx context.Context, url string) (accounts []Account, notReady []string, err error) {
	var r report
	err = fetch(ctx, url, "/status.json", &r)
	return r.Listeners, r.Reasons, err
}

// FetchBill asks it for its bill, and since when that is.
func FetchBill(ctx context.Context, url string) (bill Bill, since time.Time, err error) {
	var r report
	err = fetch(ctx, url, "/status.json", &r)
	return r.Bill, r.Started, err
}

func fetch(ctx context.Context, url, path string, into any) error {
	url = strings.TrimSuffix(url, "/") + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%s is no address of a relay: %w", url, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no relay answers: %w: give --admin the address at which kinesyslog listen --prometheus-port PORT listens", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: it is no relay of this version", url, answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("what %s answers cannot be read: %w", url, err)
	}
	return nil
}
