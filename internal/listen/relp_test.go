package listen

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/relp"
)

func TestRELPAnswersOnlyWhatIsOnDisk(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a", "<2>b", "<3>c")
	e.disk.waitForSync(t, 1)
	if d := cmp.Diff([]string{"<1>a", "<2>b", "<3>c"}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	c.silent()
	e.release(t)
	c.acknowledged(2, 4)
	port := l.Addr().(*net.TCPAddr).Port
	for _, src := range e.journal.sources {
		if src.Listener != fmt.Sprintf("relp/%d", port) || src.Format != "syslog" || src.Port != fmt.Sprint(port) || src.Address != "127.0.0.1" {
			t.Errorf("source is %+v", src)
		}
	}
	for name, want := range map[string]float64{
		"kinesyslog_relp_sessions_total": 1, "kinesyslog_relp_frames_total": 3,
		"kinesyslog_relp_acknowledged_total": 3, "kinesyslog_relp_unacknowledged_total": 0,
	} {
		waitForMetric(t, e.env, name, want)
	}
}

func TestRELPGoesOnReadingWhileTheDiskIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newRELPEnv().slow()
		c := e.pipe(t)
		c.send("<1>first")
		e.disk.waitForSync(t, 1)
		const more = 100
		for i := range more {
			c.send(fmt.Sprint("<1>", i))
		}
		e.journal.wait(t, 1+more)
		synctest.Wait() // until the session has taken note of the last, too
		e.release(t)
		c.acknowledged(2, 2)
		c.silent()
		e.release(t)
		c.acknowledged(3, 2+more)
		if n := e.disk.calls(); n != 2 {
			t.Errorf("%d calls of Sync for what came during one, want 1", n-1)
		}
	})
}

func TestRELPWindowHoldsClientsBack(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{Window: 4})
	c := dialRELP(t, l)
	var texts []string
	for i := range 10 {
		texts = append(texts, fmt.Sprint("<1>", i))
	}
	c.send(texts...)
	e.disk.waitForSync(t, 1)
	c.silent()
	for first := relp.Txnr(2); first <= 11; first += 4 {
		if got := len(e.journal.messages()); got != min(10, int(first)+2) {
			t.Errorf("%d messages were taken while %d were answered, with a window of 4", got, first-2)
		}
		e.release(t)
		last := min(first+3, 11)
		c.acknowledged(first, last)
		if last < 11 {
			e.journal.wait(t, min(10, int(first)+6))
		}
	}
}

func TestRELPAnswersNothingWhileTheJournalIsFull(t *testing.T) {
	e := newRELPEnv()
	e.journal.gate = make(chan struct{})
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a", "<2>b")
	c.silent()
	if got := e.journal.messages(); len(got) != 0 {
		t.Errorf("a full journal holds %v", got)
	}
	close(e.journal.gate)
	c.acknowledged(2, 3)
	c.send("<3>c")
	c.acknowledged(4, 4)
}

func TestRELPOverTLS(t *testing.T) {
	c, e := testCertificate(t), newRELPEnv().slow()
	l, stop := e.start(t, RELPOptions{TLS: c.server()})
	if want := fmt.Sprintf("relps/%d", l.Addr().(*net.TCPAddr).Port); l.Name() != want {
		t.Errorf("the listener is named %s, want %s", l.Name(), want)
	}
	client := newRELPClient(t, dialTLS(t, l.Addr().String(), c.client()))
	client.send("<1>a", "<2>b")
	e.release(t)
	client.acknowledged(2, 3)
	client.send("<3>c")
	e.disk.waitForSync(t, 2)
	go stop()
	e.release(t)
	client.expect("4 rsp 200 OK", serverClose, "closed")
}

func TestRELPOverTLSNeedsACertificate(t *testing.T) {
	e := newRELPEnv()
	_, err := NewRELP(RELPOptions{TLS: &tls.Config{}, Journal: e.disk, Ledger: e.ledger, Logger: e.logger()})
	if err == nil {
		t.Error("a TLS listener without a certificate was made")
	}
}

func TestRELPRefusesSendersThatAreNotAllowed(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{Allow: func(ip netip.Addr) bool { return false }})
	if n, err := dial(t, "tcp", l.Addr().String()).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a stranger was not closed: %d, %v", n, err)
	}
	if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
}

func TestRELPOverlongMessagesAreCutAndEmptyOnesCounted(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{MaxMessage: 1000})
	c := dialRELP(t, l)
	long := "<1>" + strings.Repeat("x", 100_000)
	c.send(long, "", "<2>b")
	c.acknowledged(2, 4)
	if d := cmp.Diff([]string{long[:1000], "<2>b"}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 1 {
		t.Errorf("%v messages counted as cut, want 1", n)
	}
	e.log.wait(t, "--max-message-bytes")
	if b := e.balance(t); b.Dropped[dropEmpty] != 1 || b.Difference() != 0 {
		t.Errorf("the ledger says %+v", b)
	}
}

func TestManyRELPSessionsAtOnce(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{})
	const clients, messages = 20, 50
	done := make(chan bool)
	for range clients {
		c := dialRELP(t, l)
		go func() {
			defer func() { done <- true }()
			for n := relp.Txnr(2); n < 2+messages; n++ {
				c.send("<1>x")
				c.acknowledged(n, n)
			}
		}()
	}
	for range clients {
		<-done
	}
	if got := len(e.journal.messages()); got != clients*messages {
		t.Errorf("%d messages, want %d", got, clients*messages)
	}
	waitForMetric(t, e.env, "kinesyslog_relp_acknowledged_total", clients*messages)
}
