package listen

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/relp"
)

const serverClose = "0 serverclose "

func TestRELPMessageThatIsNotKeptIsNotAnswered(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	e.disk.waitForSync(t, 1)
	e.journal.fail(errors.New("no room in the inn"))
	c.send("<2>b", "<3>c")
	e.log.wait(t, "no room in the inn")
	e.release(t)
	c.expect("2 rsp 200 OK", "closed") // what was kept before is answered, and nothing else said
	waitForMetric(t, e.env, "kinesyslog_relp_unacknowledged_total", 2)
	if b := e.balance(t); b.Received != 0 || b.DroppedTotal() != 0 {
		t.Errorf("the client has the messages, but the ledger says %+v", b)
	}
}

func TestRELPWaitsWhileTheDiskRefuses(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	e.failSync(t, errors.New("disk on fire"))
	e.log.wait(t, "disk on fire")
	c.silent()
	e.failSync(t, errors.New("disk on fire"))
	c.silent()
	e.release(t)
	c.acknowledged(2, 2)
	if n := strings.Count(e.log.String(), "disk on fire"); n != 1 {
		t.Errorf("%d lines in the log for two errors in a row, want 1", n)
	}
}

func TestRELPClientThatLeavesDuringAFailureIsForgotten(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a", "<2>b")
	e.disk.waitForSync(t, 1)
	c.Close()
	forgotten := make(chan struct{})
	defer close(forgotten)
	go func() {
		for {
			select {
			case e.disk.gate <- errors.New("disk on fire"):
			case <-forgotten:
				return
			}
		}
	}()
	waitForMetric(t, e.env, "kinesyslog_connections", 0)
	waitForMetric(t, e.env, "kinesyslog_relp_unacknowledged_total", 2)
}

func TestRELPClientThatIsGoneIsForgottenWhateverTheDiskDoes(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	e.disk.waitForSync(t, 1)
	reset(t, c)
	waitForMetric(t, e.env, "kinesyslog_connections", 0)
	waitForMetric(t, e.env, "kinesyslog_relp_unacknowledged_total", 1)
}

func TestRELPClientThatIsGoneIsForgottenWhileTheJournalIsFull(t *testing.T) {
	e := newRELPEnv().slow()
	e.journal.gate = make(chan struct{}, 1)
	e.journal.gate <- struct{}{} // room for one commit
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	e.disk.waitForSync(t, 1)
	c.send("<2>b")
	waitForMetric(t, e.env, "kinesyslog_relp_frames_total", 2)
	reset(t, c)
	e.release(t)
	waitForMetric(t, e.env, "kinesyslog_connections", 0)
	waitForMetric(t, e.env, "kinesyslog_relp_unacknowledged_total", 2)
}

// reset ends a connection in such a way that the other side can say no more.
func reset(t *testing.T, c *relpClient) {
	t.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestRELPProtocolErrorsEndTheSession(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		reason     relp.Reason
		heard      []string
	}{
		{"damaged frame", "2 syslog 1 ab\n", relp.BadFrame, []string{serverClose}},
		{"number skipped", "2 syslog 1 a\n9 syslog 1 b\n", relp.BadTxnr, []string{"2 rsp 200 OK", serverClose}},
		{"unknown command", "2 syslog 1 a\n3 syslog 1 b\n4 starttls 0\n", relp.BadCommand, []string{
			"2 rsp 200 OK", "3 rsp 200 OK", "4 rsp 500 command starttls is not supported", serverClose,
		}},
		{"open twice", "2 open 15 commands=syslog\n", relp.BadCommand, []string{"2 rsp 500 open in a session that is open already", serverClose}},
		{"plain syslog", "<13>hello\n", relp.BadFrame, []string{serverClose}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newRELPEnv()
			l, _ := e.start(t, RELPOptions{})
			c := dialRELP(t, l)
			c.raw([]byte(tt.sent + "7 syslog 12 never heard of\n"))
			c.expect(append(tt.heard, "closed")...)
			if n := e.metric(t, "kinesyslog_relp_protocol_errors_total", string(tt.reason)); n != 1 {
				t.Errorf("%v errors counted for %s, want 1", n, tt.reason)
			}
			if !strings.Contains(e.log.String(), "error in the protocol") {
				t.Errorf("nothing of it in the log: %s", e.log)
			}
			if got := len(e.journal.messages()); got != len(tt.heard)-1 && tt.reason == relp.BadTxnr {
				t.Errorf("%d messages", got)
			}
		})
	}
}

func TestRELPClientThatCannotBeUnderstoodIsTold(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{})
	c := &relpClient{Conn: dial(t, "tcp", l.Addr().String()), t: t, framer: relp.NewFramer(1000)}
	c.raw([]byte("1 open 17 commands=eventlog\n"))
	c.expect("1 rsp 500 required command syslog not supported by client", serverClose, "closed")
	if n := e.metric(t, "kinesyslog_relp_sessions_total", ""); n != 0 {
		t.Errorf("%v sessions opened", n)
	}
}

func TestRELPLastWordsAreHeardByAClientThatGoesOnSending(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	// A close with so much unread resets the connection. It is one write, since a client that is silent has finished.
	c.raw(relp.AppendSyslog([]byte("3 nonsense 0\n"), 4, make([]byte, 4<<20)))
	c.expect("2 rsp 200 OK", "3 rsp 500 command nonsense is not supported", serverClose, "closed")
}

func TestRELPCloseIsAnsweredAfterTheLastMessage(t *testing.T) {
	e := newRELPEnv().slow()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.send("<1>a")
	c.raw(relp.AppendClose(nil, c.txnr()))
	e.disk.waitForSync(t, 1)
	c.silent()
	e.release(t)
	c.expect("2 rsp 200 OK", "3 rsp 200 OK", serverClose, "closed")
}

func TestRELPClientThatOnlyEndsItsSideIsAnswered(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{})
	c := dialRELP(t, l)
	c.raw([]byte("2 syslog 1 a\n3 syslog 10 half a"))
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.expect("2 rsp 200 OK", serverClose, "closed")
	if d := cmp.Diff([]string{"a"}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestRELPShutdownAnswersWhatWasReadAndSaysServerclose(t *testing.T) {
	e := newRELPEnv().slow()
	l, stop := e.start(t, RELPOptions{})
	busy, idle := dialRELP(t, l), dialRELP(t, l)
	busy.send("<1>a")
	e.disk.waitForSync(t, 1)
	busy.send("<2>b", "<3>c")
	e.journal.wait(t, 3)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	idle.expect(serverClose, "closed")
	busy.silent()
	e.release(t)
	busy.acknowledged(2, 2)
	e.release(t)
	busy.expect("3 rsp 200 OK", "4 rsp 200 OK", serverClose, "closed")
	<-stopped
	if n := e.metric(t, "kinesyslog_relp_unacknowledged_total", ""); n != 0 {
		t.Errorf("%v messages were read and not acknowledged", n)
	}
}

func TestRELPShutdownTakesNoMoreThanTheWindow(t *testing.T) {
	e := newRELPEnv().slow()
	l, stop := e.start(t, RELPOptions{Window: 2})
	c := dialRELP(t, l)
	c.send("<1>a", "<2>b", "<3>c", "<4>d", "<5>e")
	e.disk.waitForSync(t, 1)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	for shuttingDown := false; !shuttingDown; {
		probe, err := net.Dial("tcp", l.Addr().String())
		if shuttingDown = err != nil; !shuttingDown {
			probe.Close()
		}
	}
	c.silent() // by now the connection has been told, too
	e.release(t)
	c.expect("2 rsp 200 OK", "3 rsp 200 OK", serverClose, "closed")
	<-stopped
	if got := len(e.journal.messages()); got != 2 {
		t.Errorf("%d messages were taken, want 2", got)
	}
}

func TestRELPShutdownUnderLoadAcknowledgesEverythingItHasRead(t *testing.T) {
	e := newRELPEnv()
	l, stop := e.start(t, RELPOptions{Window: 100})
	c := dialRELP(t, l)
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		var b []byte
		for n := relp.Txnr(2); ; n++ {
			if b = relp.AppendSyslog(b[:0], n, []byte("<1>x")); !writeAll(c.Conn, b) {
				return
			}
		}
	}()
	for n := relp.Txnr(2); n < 1000; n++ {
		c.acknowledged(n, n)
	}
	go stop()
	last := ""
	acknowledged := 998
	for text := c.hear(); text != serverClose; text = c.hear() {
		acknowledged++
		last = text
	}
	if got := len(e.journal.messages()); got != acknowledged {
		t.Errorf("%d messages in the journal, %d acknowledged, the last by %q", got, acknowledged, last)
	}
	c.Close()
	<-sending
}

func writeAll(conn net.Conn, b []byte) bool {
	_, err := conn.Write(b)
	return err == nil
}

func TestRELPShutdownWaitsNoLongerThanAllowed(t *testing.T) {
	e := newRELPEnv().slow()
	l, stop := e.start(t, RELPOptions{Drain: 50 * time.Millisecond})
	c := dialRELP(t, l)
	c.send("<1>a")
	e.disk.waitForSync(t, 1)
	stop()
	c.expect("closed")
	if n := e.metric(t, "kinesyslog_relp_unacknowledged_total", ""); n != 1 {
		t.Errorf("%v messages counted as not acknowledged, want 1", n)
	}
}

func TestRELPClientThatReadsNoAnswersIsHeldBackAndDoesNotKeepTheListener(t *testing.T) {
	e := newRELPEnv()
	l, stop := e.start(t, RELPOptions{Window: 1 << 20, Drain: 50 * time.Millisecond})
	c := dialRELP(t, l)
	if err := c.Conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for writeAll(c.Conn, b) {
		b = b[:0]
		for range 1000 {
			b = relp.AppendSyslog(b, c.txnr(), []byte("x"))
		}
	}
	stop()
	waitForMetric(t, e.env, "kinesyslog_connections", 0)
}

func TestRELPLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	e := newRELPEnv()
	l, stop := e.start(t, RELPOptions{})
	for range 20 {
		c := dialRELP(t, l)
		c.send("<1>a")
		c.acknowledged(2, 2)
	}
	stop()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}
