package listen

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
	"kinesyslog/internal/ledger"
)

const patience = 20 * time.Second // of a test, for what must happen

type message struct{ Sender, Text string }

// fakeJournal records what is committed. Until closed, gate holds Commits up;
// with err they fail.
type fakeJournal struct {
	gate  chan struct{}
	books *ledger.Ledger // if not nil, told of what is committed, as the journal does

	mu      sync.Mutex
	err     error
	got     []message
	formats []string // of got
	names   []string // of their log streams
	sources map[string]*event.Source
	more    chan struct{} // closed and renewed with every Commit
}

func newFakeJournal() *fakeJournal {
	return &fakeJournal{sources: map[string]*event.Source{}, more: make(chan struct{})}
}

type fakeAppender struct {
	j       *fakeJournal
	pending []message
	sources []*event.Source
}

func (j *fakeJournal) NewAppender() Appender { return &fakeAppender{j: j} }

func (a *fakeAppender) Add(src *event.Source, received int64, text []byte) {
	if received <= 0 {
		panic("no time of receipt")
	}
	a.pending = append(a.pending, message{src.Address, string(text)})
	a.sources = append(a.sources, src)
}

func (a *fakeAppender) Commit(ctx context.Context, block bool) error {
	j, pending, sources := a.j, a.pending, a.sources
	a.pending, a.sources = nil, nil
	if j.gate != nil && block {
		select {
		case <-j.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	for _, src := range sources {
		if known := j.sources[src.Key()]; known != nil && known != src {
			return fmt.Errorf("two sources for %q", src.Key())
		}
		j.sources[src.Key()] = src
		j.formats = append(j.formats, src.Format)
		j.names = append(j.names, src.LogStream())
	}
	if j.books != nil {
		for i, src := range sources {
			j.books.Receive(src.Listener, 1, uint64(len(pending[i].Text)))
		}
	}
	j.got = append(j.got, pending...)
	close(j.more)
	j.more = make(chan struct{})
	return nil
}

// fail makes Commits fail with err, or work again with nil.
func (j *fakeJournal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
}

// messages returns what is there.
func (j *fakeJournal) messages() []message {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.got)
}

// ofFormat returns the texts of those that are of a format.
func (j *fakeJournal) ofFormat(format string) (texts []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, m := range j.got {
		if j.formats[i] == format {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// wait returns what is there once it is at least n messages.
func (j *fakeJournal) wait(t *testing.T, n int) []message {
	t.Helper()
	timeout := time.After(patience)
	for {
		j.mu.Lock()
		got, more := slices.Clone(j.got), j.more
		j.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("%d messages after %v, want %d", len(got), patience, n)
		}
	}
}

// nullJournal takes everything and keeps nothing.
type nullJournal struct{}

func (nullJournal) NewAppender() Appender              { return nullJournal{} }
func (nullJournal) Add(*event.Source, int64, []byte)   {}
func (nullJournal) Commit(context.Context, bool) error { return nil }

// logText collects a log.
type logText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// wait returns when the log has the text.
func (l *logText) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(l.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log:\n%s", text, l)
		}
	}
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// env is what a listener needs around it.
type env struct {
	journal *fakeJournal
	ledger  *ledger.Ledger
	reg     *prometheus.Registry
	log     *logText
}

func newEnv() *env {
	return &env{journal: newFakeJournal(), ledger: ledger.New(), reg: prometheus.NewRegistry(), log: &logText{}}
}

func (e *env) logger() *slog.Logger { return slog.New(slog.NewTextHandler(e.log, nil)) }

func (e *env) tcp(opts TCPOptions) TCPOptions {
	if opts.Address == "" {
		opts.Address = "127.0.0.1"
	}
	opts.Journal, opts.Ledger, opts.Logger, opts.Registerer = e.journal, e.ledger, e.logger(), e.reg
	return opts
}

func (e *env) udp(opts UDPOptions) UDPOptions {
	if opts.Address == "" {
		opts.Address = "127.0.0.1"
	}
	opts.Journal, opts.Ledger, opts.Logger, opts.Registerer = e.journal, e.ledger, e.logger(), e.reg
	return opts
}

// metric returns the value of a metric, over all its labels but reason.
func (e *env) metric(t *testing.T, name, reason string) float64 {
	t.Helper()
	families, err := e.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	next:
		for _, m := range f.GetMetric() {
			listener := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == "reason" && l.GetValue() != reason {
					continue next
				}
				if l.GetName() == "listener" {
					listener = l.GetValue()
				}
			}
			if listener == "" {
				t.Errorf("metric %s has no listener", name)
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s with reason %q", name, reason)
	return 0
}

// balance is the only account of the ledger.
func (e *env) balance(t *testing.T) ledger.Balance {
	t.Helper()
	all := e.ledger.Snapshot()
	if len(all) != 1 {
		t.Fatalf("%d accounts, want 1", len(all))
	}
	return all[0]
}

type runner interface {
	Run(context.Context) error
	Addr() net.Addr
	Name() string
}

// start runs a listener, and returns how to stop it. The test stops it too.
func start(t *testing.T, l runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run of %s: %v", l.Name(), err)
			}
		case <-time.After(patience):
			t.Errorf("Run of %s did not return", l.Name())
		}
	})
	t.Cleanup(stop)
	return stop
}

func startTCP(t *testing.T, opts TCPOptions) (*TCP, func()) {
	t.Helper()
	l, err := NewTCP(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

func startUDP(t *testing.T, opts UDPOptions) (*UDP, func()) {
	t.Helper()
	l, err := NewUDP(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

func dial(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn io.Writer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
}

// finish ends what is sent and waits until the listener has closed: all of it
// is in the journal then.
func finish(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); n != 0 || err != nil {
		t.Fatalf("the listener sent %d bytes; error %v", n, err)
	}
}

func textsOf(msgs []message) []string {
	var out []string
	for _, m := range msgs {
		out = append(out, m.Text)
	}
	return out
}

// needIPv6 skips the test where the machine has none.
func needIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	l.Close()
}

func onPort(address string, addr net.Addr) string {
	return net.JoinHostPort(address, fmt.Sprint(netip.MustParseAddrPort(addr.String()).Port()))
}
