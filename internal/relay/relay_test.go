package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/config"
	"kinesyslog/internal/firehose"
)

// freePort finds a port that is free for TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if u, err := net.ListenPacket("udp4", "127.0.0.1:"+port); err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// running is a relay at work.
type running struct {
	*Relay
	t         *testing.T
	tcp, udp  string // addresses
	tls       string
	log       *syncBuffer
	stop      func()
	ended     chan error
	delivered string // directory
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a relay with the given options over usual ones for tests.
func start(t *testing.T, spool string, options map[string]string) *running {
	t.Helper()
	port, tlsPort := freePort(t), freePort(t)
	r := &running{t: t, log: &syncBuffer{}, ended: make(chan error, 1)}
	flags := map[string][]string{
		"address": {"127.0.0.1"}, "tcp-port": {port}, "udp-port": {port}, "port": {tlsPort},
		"spool-dir": {spool}, "flush-interval": {"200ms"}, "shutdown-timeout": {"10s"},
	}
	for name, value := range options {
		if value == "" {
			delete(flags, name)
			continue
		}
		flags[name] = []string{value}
	}
	if local, ok := flags["local"]; ok {
		r.delivered = local[0]
	}
	cfg, err := config.Load(config.Input{Flags: flags, LookupEnv: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Prepare(); err != nil {
		t.Fatal(err)
	}
	r.Relay, err = New(cfg, slog.New(slog.NewTextHandler(r.log, nil)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Listening() {
		switch l.Network {
		case "tcp":
			r.tcp = l.Address
		case "udp":
			r.udp = l.Address
		case "tls":
			r.tls = l.Address
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() { r.ended <- r.Run(ctx) }()
	return r
}

// shutdown stops the relay in good order.
func (r *running) shutdown() {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("Run: %v\n%s", err, r.log)
		}
	case <-time.After(30 * time.Second):
		r.t.Fatalf("the relay does not stop\n%s", r.log)
	}
	for _, b := range r.ledger.Snapshot() {
		if b.Difference() != 0 {
			r.t.Errorf("the books do not balance: %+v", b)
		}
	}
}

// got returns what was delivered, sorted.
func got(t *testing.T, dir string) (messages []string, ids map[string]bool) {
	t.Helper()
	a, err := archive.Open(t.Context(), archive.Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	ids = map[string]bool{}
	for e, err := range a.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, e.Message)
		ids[e.ID] = true
	}
	slices.Sort(messages)
	return messages, ids
}

func send(t *testing.T, network, address string, messages []string) {
	t.Helper()
	var c net.Conn
	var err error
	if network == "tls" {
		c, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	} else {
		c, err = net.Dial(network, address)
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for i, m := range messages {
		if network == "udp" {
			if i%20 == 19 {
				time.Sleep(time.Millisecond) // a datagram socket is no queue
			}
		} else {
			m += "\n"
		}
		if _, err := io.WriteString(c, m); err != nil {
			t.Error(err)
			return
		}
	}
}

func numbered(kind string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("<13>1 2024-01-02T03:04:05.678Z host app - - - %s message %06d", kind, i))
	}
	return out
}

func TestEveryMessageOfEveryListenerIsDeliveredOnceAndUnaltered(t *testing.T) {
	dir := t.TempDir()
	r := start(t, t.TempDir(), map[string]string{"local": dir})
	var want []string
	var senders sync.WaitGroup
	for network, address := range map[string]string{"tcp": r.tcp, "udp": r.udp, "tls": r.tls} {
		m := numbered(network, 2000)
		want = append(want, m...)
		senders.Go(func() { send(t, network, address, m) })
	}
	senders.Wait()
	waitFor(t, func() bool {
		var n uint64
		for _, b := range r.ledger.Snapshot() {
			n += b.Received
		}
		return n == uint64(len(want))
	})
	r.shutdown()
	messages, ids := got(t, dir)
	slices.Sort(want)
	if !slices.Equal(messages, want) {
		t.Errorf("%d messages were delivered of %d\n%s", len(messages), len(want), r.log)
	}
	if len(ids) != len(want) {
		t.Errorf("%d messages have %d ids", len(want), len(ids))
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it does not come")
		}
	}
}

func TestTheBooksBalanceAtEveryScrapeUnderLoad(t *testing.T) {
	r := start(t, t.TempDir(), map[string]string{"local": t.TempDir(), "prometheus-port": freePort(t), "flush-interval": "100ms"})
	var sending atomic.Int32
	for i := range 4 {
		sending.Add(1)
		go func() {
			defer sending.Add(-1)
			send(t, "tcp", r.tcp, numbered(fmt.Sprint(i), 30_000))
		}()
	}
	scrapes := 0
	for sending.Load() > 0 || scrapes == 0 {
		for listener, sum := range scrape(t, "http://"+r.AdminAddr().String()+"/metrics") {
			if sum != 0 {
				t.Fatalf("%s is out of balance by %v", listener, sum)
			}
		}
		scrapes++
	}
	t.Logf("%d scrapes", scrapes)
	r.shutdown()
	for _, b := range r.ledger.Snapshot() {
		if b.Listener[:3] == "tcp" && (b.Received != 120_000 || b.Delivered != 120_000) {
			t.Errorf("120,000 messages were sent, the books say %+v", b)
		}
	}
}

// scrape adds up, for each listener, what came in less where it is now.
func scrape(t *testing.T, url string) map[string]float64 {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	sign := map[string]float64{
		"kinesyslog_messages_received_total": 1, "kinesyslog_messages_recovered_total": 1,
		"kinesyslog_messages_delivered_total": -1, "kinesyslog_messages_held": -1, "kinesyslog_messages_dropped_total": -1,
	}
	sums := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, rest, ok := strings.Cut(line, "{")
		if !ok || sign[name] == 0 {
			continue
		}
		_, after, _ := strings.Cut(rest, `listener="`)
		listener, _, _ := strings.Cut(after, `"`)
		var v float64
		if _, err := fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &v); err != nil {
			t.Fatal(err)
		}
		sums[listener] += sign[name] * v
	}
	if len(sums) == 0 {
		t.Fatalf("no books in\n%s", text)
	}
	return sums
}

func TestStartsAndTakesMessagesWithoutAWSAndDeliversOnceItIsThere(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	spool := t.TempDir()
	closed := "http://127.0.0.1:" + freePort(t)
	first := start(t, spool, map[string]string{"stream": "s", "endpoint-url": closed, "region": "us-east-1", "port": "0", "shutdown-timeout": "300ms"})
	want := numbered("early", 500)
	send(t, "tcp", first.tcp, want)
	waitFor(t, func() bool { return strings.Contains(first.log.String(), "credentials") || len(first.notReady()) > 0 })
	waitFor(t, func() bool { return first.spool.Stats().Events == 500 })
	first.shutdown()
	if len(globbed(t, spool, "*.spool")) == 0 {
		t.Fatalf("nothing is in the spool\n%s", first.log)
	}

	dir := t.TempDir()
	server, err := firehose.New(firehose.Options{Dir: dir, Streams: []string{"s"}, BufferInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	aws := httptest.NewServer(server.Handler())
	defer aws.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	second := start(t, spool, map[string]string{"stream": "s", "endpoint-url": aws.URL, "region": "us-east-1", "port": "0"})
	waitFor(t, func() bool { return second.spool.Stats().Events == 0 && len(second.notReady()) == 0 })
	second.shutdown()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if messages, _ := got(t, dir); !slices.Equal(messages, want) {
		t.Errorf("%d of 500 messages were delivered\n%s", len(messages), second.log)
	}
}

func globbed(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAJournalLeftByADeadProcessIsDeliveredWithTheSameIDs(t *testing.T) {
	spool, dir := t.TempDir(), t.TempDir()
	// The first relay never closes a generation: its directory is what a kill leaves.
	first := start(t, spool, map[string]string{"local": t.TempDir(), "flush-interval": "15m"})
	want := numbered("kept", 1000)
	send(t, "tcp", first.tcp, want)
	waitFor(t, func() bool { return first.ledger.Snapshot()[0].Received+first.ledger.Snapshot()[1].Received == 1000 })
	var ids []map[string]bool
	for range 2 {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(spool)); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, fmt.Sprint(len(ids)))
		r := start(t, copied, map[string]string{"local": out})
		waitFor(t, func() bool { return r.budget.used.Load() == 0 })
		r.shutdown()
		messages, seen := got(t, out)
		if !slices.Equal(messages, want) {
			t.Fatalf("%d of 1000 messages were delivered\n%s", len(messages), r.log)
		}
		ids = append(ids, seen)
	}
	for id := range ids[0] {
		if !ids[1][id] {
			t.Fatalf("the replays differ in the id %s", id)
		}
	}
	first.shutdown()
}

func TestASpoolDirectoryServesOneRelayAtATime(t *testing.T) {
	spool := t.TempDir()
	r := start(t, spool, map[string]string{"local": t.TempDir()})
	defer r.shutdown()
	cfg, err := config.Load(config.Input{
		Flags:     map[string][]string{"local": {t.TempDir()}, "spool-dir": {spool}, "tcp-port": {freePort(t)}, "port": {"0"}},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg, slog.New(slog.DiscardHandler), io.Discard); err == nil || !strings.Contains(err.Error(), "--spool-dir") {
		t.Errorf("a second relay on the same directory: %v", err)
	}
}

func TestStatusPageTellsWhatIsWrong(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	server, err := firehose.New(firehose.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	aws := httptest.NewServer(server.Handler())
	defer aws.Close()
	r := start(t, t.TempDir(), map[string]string{
		"stream": "missing", "endpoint-url": aws.URL, "region": "us-east-1", "port": "0",
		"prometheus-port": freePort(t), "shutdown-timeout": "100ms",
	})
	defer r.shutdown()
	send(t, "tcp", r.tcp, numbered("x", 10))
	waitFor(t, func() bool {
		res, err := http.Get("http://" + r.AdminAddr().String() + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), "missing")
	})
	res, err := http.Get("http://" + r.AdminAddr().String() + "/status.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var status struct {
		Ready  bool
		Upload struct{ State, Reason string }
	}
	if err := json.NewDecoder(res.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	if status.Ready || status.Upload.State != "retrying" || status.Upload.Reason == "" {
		t.Errorf("status is %+v", status)
	}
}

func TestFullSpoolMakesTCPWaitAndGoesOnWhenThereIsRoomAgain(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	dir := t.TempDir()
	server, err := firehose.New(firehose.Options{Dir: dir, Streams: []string{"s"}, BufferInterval: time.Millisecond, Faults: firehose.Faults{Outage: true}})
	if err != nil {
		t.Fatal(err)
	}
	aws := httptest.NewServer(server.Handler())
	defer aws.Close()
	r := start(t, t.TempDir(), map[string]string{
		"stream": "s", "endpoint-url": aws.URL, "region": "us-east-1", "port": "0", "spool-max-bytes": "16MiB",
	})
	const n = 60_000
	messages := make([]string, n)
	for i := range messages {
		messages[i] = fmt.Sprintf("<13>1 2024-01-02T03:04:05Z h a - - - %06d %s", i, noise(i))
	}
	sent := make(chan struct{})
	go func() { send(t, "tcp", r.tcp, messages); close(sent) }()
	waitFor(t, r.budget.Full)
	if len(r.notReady()) == 0 {
		t.Error("a relay that takes nothing more calls itself ready")
	}
	waitFor(t, func() bool { return strings.Contains(r.log.String(), "see why nothing is delivered") })
	select {
	case <-sent:
		t.Error("the sender was not made to wait")
	default:
	}
	if used := r.budget.used.Load(); used > r.budget.limit {
		t.Errorf("%d bytes are used of %d", used, r.budget.limit)
	}
	res, err := http.Post(aws.URL+"/_faults", "application/json", strings.NewReader(`{"outage": false}`))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(err, res)
	}
	res.Body.Close()
	<-sent
	r.shutdown()
	if err := errors.Join(server.Close()); err != nil {
		t.Fatal(err)
	}
	if got, _ := got(t, dir); !slices.Equal(got, messages) {
		t.Errorf("%d of %d messages were delivered\n%s", len(got), n, r.log)
	}
}

// noise is 600 characters that do not compress well.
func noise(seed int) string {
	var b strings.Builder
	for x := uint64(seed)*2654435761 + 1; b.Len() < 600; x = x*6364136223846793005 + 1442695040888963407 {
		fmt.Fprintf(&b, "%016x", x)
	}
	return b.String()
}
