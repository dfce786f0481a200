package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"kinesyslog/internal/relp"
)

// diskJournal is a fakeJournal whose Sync can be held up: with a gate, each
// takes one value from it, which it returns.
type diskJournal struct {
	*fakeJournal
	gate chan error

	mu    sync.Mutex
	begun chan struct{} // closed and renewed with every Sync
	syncs int
}

func (j *diskJournal) NewDurableAppender() DurableAppender {
	return &diskAppender{fakeAppender{j: j.fakeJournal}, j}
}

type diskAppender struct {
	fakeAppender
	disk *diskJournal
}

func (a *diskAppender) Sync(ctx context.Context) error {
	j := a.disk
	j.mu.Lock()
	j.syncs++
	close(j.begun)
	j.begun = make(chan struct{})
	j.mu.Unlock()
	if j.gate == nil {
		return nil
	}
	select {
	case err := <-j.gate:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// calls returns how often Sync has been called.
func (j *diskJournal) calls() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.syncs
}

// waitForSync returns when Sync has been called so often.
func (j *diskJournal) waitForSync(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		j.mu.Lock()
		begun, syncs := j.begun, j.syncs
		j.mu.Unlock()
		if syncs >= n {
			return
		}
		select {
		case <-begun:
		case <-timeout:
			t.Fatalf("%d calls of Sync after %v, want %d", syncs, patience, n)
		}
	}
}

// relpEnv is what a RELP listener needs around it.
type relpEnv struct {
	*env
	disk *diskJournal
}

func newRELPEnv() *relpEnv {
	e := newEnv()
	return &relpEnv{e, &diskJournal{fakeJournal: e.journal, begun: make(chan struct{})}}
}

// slow makes every Sync wait for release.
func (e *relpEnv) slow() *relpEnv {
	e.disk.gate = make(chan error)
	return e
}

func (e *relpEnv) release(t *testing.T) { e.failSync(t, nil) }

func (e *relpEnv) failSync(t *testing.T, err error) {
	t.Helper()
	select {
	case e.disk.gate <- err:
	case <-time.After(patience):
		t.Fatal("nobody waits for the disk")
	}
}

func (e *relpEnv) start(t *testing.T, opts RELPOptions) (*RELP, func()) {
	t.Helper()
	if opts.Address == "" {
		opts.Address = "127.0.0.1"
	}
	opts.Journal, opts.Ledger, opts.Logger, opts.Registerer = e.disk, e.ledger, e.logger(), e.reg
	l, err := NewRELP(opts)
	if err != nil {
		t.Fatal(err)
	}
	return l, start(t, l)
}

// pipe opens a session without a socket between, for synctest.
func (e *relpEnv) pipe(t *testing.T) *relpClient {
	t.Helper()
	l, err := NewRELP(RELPOptions{Address: "127.0.0.1", Journal: e.disk, Ledger: e.ledger, Logger: e.logger(), Registerer: e.reg})
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody is to connect
	ours, theirs := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// How it ends is for other tests: nobody is left to be told.
		_ = l.speak(context.Background(), ours, func() bool { return false }, client{sender: netip.MustParseAddr("192.0.2.7")})
	}()
	t.Cleanup(func() {
		theirs.Close()
		<-ended
	})
	return newRELPClient(t, theirs)
}

// relpClient speaks RELP as a client does.
type relpClient struct {
	net.Conn
	t      *testing.T
	next   relp.Txnr
	framer *relp.Framer
	held   []byte // read and not used
}

// newRELPClient opens a session.
func newRELPClient(t *testing.T, conn net.Conn) *relpClient {
	t.Helper()
	c := &relpClient{Conn: conn, t: t, next: 1, framer: relp.NewFramer(1 << 16)}
	c.raw(relp.AppendOpen(nil, c.txnr(), "test,1"))
	if got, want := c.hear(), "1 rsp 200 OK\nrelp_version=0\nrelp_software=kinesyslog\ncommands=syslog"; got != want {
		t.Fatalf("the answer to open is %q, want %q", got, want)
	}
	return c
}

func dialRELP(t *testing.T, l *RELP) *relpClient {
	t.Helper()
	return newRELPClient(t, dial(t, "tcp", l.Addr().String()))
}

func (c *relpClient) txnr() relp.Txnr {
	n := c.next
	c.next = n.Next()
	return n
}

func (c *relpClient) raw(b []byte) {
	c.t.Helper()
	send(c.t, c.Conn, string(b))
}

// send sends messages together.
func (c *relpClient) send(texts ...string) {
	c.t.Helper()
	var b []byte
	for _, text := range texts {
		b = relp.AppendSyslog(b, c.txnr(), []byte(text))
	}
	c.raw(b)
}

// hear returns the next frame as text, or "closed".
func (c *relpClient) hear() string {
	c.t.Helper()
	for {
		f, used, ok, err := c.framer.Next(c.held)
		text := fmt.Sprintf("%d %s %s", f.Txnr, f.Command, f.Data)
		c.held = c.held[used:]
		if err != nil {
			c.t.Fatal(err)
		}
		if ok {
			return text
		}
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		c.held = append(c.held, buf[:n]...)
		switch {
		case n > 0:
		case errors.Is(err, io.EOF):
			return "closed"
		case err != nil:
			c.t.Fatalf("after %q: %v", c.held, err)
		}
	}
}

// expect hears so many answers in their order, and fails if they are others.
func (c *relpClient) expect(want ...string) {
	c.t.Helper()
	for i, w := range want {
		if got := c.hear(); got != w {
			c.t.Fatalf("frame %d of %d is %q, want %q", i, len(want), got, w)
		}
	}
}

// acknowledged hears the answers to messages with numbers from first to last.
func (c *relpClient) acknowledged(first, last relp.Txnr) {
	c.t.Helper()
	for n := first; n <= last; n++ {
		c.expect(fmt.Sprintf("%d rsp 200 OK", n))
	}
}

// silent fails if anything is said.
func (c *relpClient) silent() {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		c.t.Fatal(err)
	}
	n, err := c.Read(make([]byte, 100))
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("%d bytes were said, error %v", n, err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}
