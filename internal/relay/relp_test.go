package relay

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kinesyslog/internal/relp"
)

// relpClient sends messages and reads answers, in the order of the messages.
type relpClient struct {
	net.Conn
	answers *bufio.Reader
	next    relp.Txnr
}

// openRELP opens a session with a listener of the relay: "relp" or "relps".
func openRELP(t *testing.T, r *running, network string) *relpClient {
	t.Helper()
	address := ""
	for _, l := range r.Listening() {
		if l.Network == network {
			address = l.Address
		}
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if network == "relps" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	c := &relpClient{Conn: conn, answers: bufio.NewReader(conn), next: 2}
	if _, err := conn.Write(relp.AppendOpen(nil, 1, "test,1")); err != nil {
		t.Fatal(err)
	}
	for i := range 4 { // the answer has a line for each of three offers
		line, err := c.answers.ReadString('\n')
		if err != nil || i == 0 && !strings.HasSuffix(line, " 200 OK\n") {
			t.Fatalf("line %d of the answer to open is %q, error %v", i, line, err)
		}
	}
	return c
}

func (c *relpClient) send(text string) error {
	_, err := c.Write(relp.AppendSyslog(nil, c.next, []byte(text)))
	c.next = c.next.Next()
	return err
}

// hear returns nil if the next answer is that message n is safe.
func (c *relpClient) hear(n relp.Txnr) error {
	line, err := c.answers.ReadString('\n')
	if want := fmt.Sprintf("%d rsp 6 200 OK\n", n); err == nil && line != want {
		err = fmt.Errorf("answer %q, want %q", line, want)
	}
	return err
}

func TestMessagesOverRELPAreDelivered(t *testing.T) {
	dir := t.TempDir()
	r := start(t, t.TempDir(), map[string]string{"local": dir, "relp-port": freePort(t), "relp-tls-port": freePort(t)})
	want := []string{}
	for _, network := range []string{"relp", "relps"} {
		c := openRELP(t, r, network)
		for i, m := range numbered(network, 100) {
			want = append(want, m)
			if err := c.send(m); err != nil {
				t.Fatal(err)
			}
			if err := c.hear(relp.Txnr(i + 2)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.shutdown()
	slices.Sort(want)
	if messages, _ := got(t, dir); !slices.Equal(messages, want) {
		t.Errorf("%d messages were delivered, want %d", len(messages), len(want))
	}
}

func TestRELPAnswersWithin20MillisecondsOnAnIdleRelay(t *testing.T) {
	r := start(t, t.TempDir(), map[string]string{"local": t.TempDir(), "relp-port": freePort(t), "flush-interval": "10m"})
	c := openRELP(t, r, "relp")
	var took []time.Duration
	for n := relp.Txnr(2); n < 52; n++ {
		time.Sleep(5 * time.Millisecond) // so that nothing is under way
		begin := time.Now()
		if err := c.send("<13>1 - - - - - - x"); err != nil {
			t.Fatal(err)
		}
		if err := c.hear(n); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("median %v, longest %v", took[len(took)/2], took[len(took)-1])
	if median := took[len(took)/2]; median > 20*time.Millisecond { // others use the machine and its disk, too
		t.Errorf("an answer takes %v", median)
	}
	r.shutdown()
}

// A kill leaves the spool directory as it is at that moment; so does a copy.
func TestWhatRELPHasAcknowledgedSurvivesAKill(t *testing.T) {
	killed, copied, dir := t.TempDir(), t.TempDir(), t.TempDir()
	r := start(t, killed, map[string]string{"local": t.TempDir(), "relp-port": freePort(t), "flush-interval": "10m"})
	c := openRELP(t, r, "relp")
	messages := numbered("relp", 20_000)
	sent, heard, dead := make(chan error, 1), make(chan error, 1), make(chan struct{})
	go func() {
		for i, m := range messages {
			if i == len(messages)/2 {
				<-dead // so that the kill comes in the midst of them
			}
			if err := c.send(m); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	var acknowledged atomic.Int64
	go func() {
		for i := range messages {
			if err := c.hear(relp.Txnr(i + 2)); err != nil {
				heard <- err
				return
			}
			acknowledged.Store(int64(i + 1))
		}
		heard <- nil
	}()
	for acknowledged.Load() < int64(len(messages)/3) {
		time.Sleep(time.Millisecond)
	}
	safe := acknowledged.Load()
	copySpool(t, killed, copied)
	close(dead)
	for _, done := range []chan error{sent, heard} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	r.shutdown()

	after := start(t, copied, map[string]string{"local": dir})
	after.shutdown()
	delivered, _ := got(t, dir)
	there := map[string]bool{}
	for _, m := range delivered {
		there[m] = true
	}
	for i, m := range messages[:safe] {
		if !there[m] {
			t.Fatalf("message %d of %d that were acknowledged is not there", i, safe)
		}
	}
	if len(delivered) > len(messages)/2 {
		t.Errorf("%d messages were delivered of %d that had been sent", len(delivered), len(messages)/2)
	}
}

func copySpool(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "lock" || e.IsDir() {
			continue
		}
		in, err := os.Open(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.OpenFile(filepath.Join(to, e.Name()), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, in); err != nil {
			t.Fatal(err)
		}
		in.Close()
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
