package relay

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kinesyslog/internal/firehose"
)

// blast sends many numbered messages until it is told to end or the relay has
// gone, and counts those that were written.
func blast(t *testing.T, network, address, name, text string, end *atomic.Bool, written *atomic.Int64) {
	c, err := net.Dial(network, address)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for i := 0; !end.Load(); i++ {
		m := fmt.Sprintf("<13>1 2024-01-02T03:04:05Z host %s - - - %08d %s", name, i, text)
		if network == "tcp" {
			m += "\n"
		}
		if i%64 == 0 {
			time.Sleep(time.Millisecond)
		}
		if _, err := io.WriteString(c, m); err != nil {
			return
		}
		written.Add(1)
	}
}

func TestStoppingUnderFullLoadLosesNothingThatWasRead(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	for name, is := range map[string]struct{ outage, full bool }{
		"and it is delivered":                      {},
		"and in an outage it is held":              {outage: true},
		"and what waits for room has found it yet": {outage: true, full: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, spool := t.TempDir(), t.TempDir()
			server, err := firehose.New(firehose.Options{
				Dir: dir, Streams: []string{"s"}, BufferInterval: time.Millisecond, Faults: firehose.Faults{Outage: is.outage},
			})
			if err != nil {
				t.Fatal(err)
			}
			aws := httptest.NewServer(server.Handler())
			defer aws.Close()
			options := map[string]string{"stream": "s", "endpoint-url": aws.URL, "region": "us-east-1", "port": "0", "flush-interval": "100ms"}
			text := "short"
			if is.outage {
				options["shutdown-timeout"] = "500ms"
			}
			if is.full {
				options["spool-max-bytes"] = "16MiB"
				text = noise(1) + noise(2) + noise(3) // the disk is full of journal before it is converted
			}
			r := start(t, spool, options)
			var end atomic.Bool
			var datagrams, ignored atomic.Int64
			var senders sync.WaitGroup
			for i := range 3 {
				senders.Go(func() { blast(t, "tcp", r.tcp, fmt.Sprintf("tcp-%d", i), text, &end, &ignored) })
			}
			senders.Go(func() { blast(t, "udp", r.udp, "udp", text, &end, &datagrams) })
			time.Sleep(500 * time.Millisecond)
			if is.full {
				waitFor(t, r.budget.Full)
			}
			before := datagrams.Load()
			time.AfterFunc(200*time.Millisecond, func() { end.Store(true) }) // while the sockets are drained
			r.shutdown()
			senders.Wait()

			read := map[string]uint64{} // by network, less what was dropped
			for _, b := range r.ledger.Snapshot() {
				network, _, _ := strings.Cut(b.Listener, "/")
				read[network] = b.Received - b.DroppedTotal()
				if network == "tcp" && b.DroppedTotal() > 0 {
					t.Errorf("TCP messages were dropped: %+v", b)
				}
				if network == "udp" && b.Received < uint64(before) {
					t.Errorf("%d datagrams were sent before the end, %d are accounted for", before, b.Received)
				}
				if is.outage && b.Delivered > 0 || !is.outage && b.HeldTotal() > 0 {
					t.Errorf("books %+v", b)
				}
			}
			if is.outage {
				res, err := http.Post(aws.URL+"/_faults", "application/json", strings.NewReader(`{"outage": false}`))
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				options["shutdown-timeout"] = "30s"
				next := start(t, spool, options)
				waitFor(t, func() bool { return next.spool.Stats().Events == 0 && next.budget.used.Load() == 0 })
				next.shutdown()
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			wantRead(t, dir, read)
		})
	}
}

// wantRead checks that what was delivered are as many messages as were read,
// and of each TCP connection all up to some point.
func wantRead(t *testing.T, dir string, read map[string]uint64) {
	t.Helper()
	messages, ids := got(t, dir)
	if len(ids) != len(messages) {
		t.Errorf("%d messages have %d ids", len(messages), len(ids))
	}
	next := map[string]int{}
	count := map[string]uint64{}
	for _, m := range messages { // sorted: by sender, then by number
		fields := strings.Fields(m + " - - - - - - - -")
		sender, network := fields[3], strings.SplitN(fields[3], "-", 2)[0]
		count[network]++
		if len(m) < len(messages[0]) {
			continue // a connection was cut off in the midst of it
		}
		if want := fmt.Sprintf("%08d", next[sender]); network == "tcp" && fields[7] != want {
			t.Fatalf("%s: %s was delivered where %s was to come", sender, fields[7], want)
		}
		next[sender]++
	}
	for network, n := range read {
		if n == 0 || count[network] != n {
			t.Errorf("%s: %d messages were read and kept, %d delivered", network, n, count[network])
		}
		t.Logf("%s: %d messages were read and kept, and all delivered", network, n)
	}
}
