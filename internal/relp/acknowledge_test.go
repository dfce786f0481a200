package relp

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNothingIsAcknowledgedBeforeAck(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	got, st, err := take(t, s, "2 syslog 1 a\n3 syslog 1 b\n4 syslog 1 c\n")
	if diff := cmp.Diff([]string{"2 a", "3 b", "4 c"}, got); diff != "" || st != NeedMore || err != nil {
		t.Fatal(diff, st, err)
	}
	if out := s.AppendOutput(nil); len(out) != 0 {
		t.Fatalf("output %q before anything is safe", out)
	}
	if err := s.Ack(3); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.AppendOutput(nil)), "2 rsp 6 200 OK\n3 rsp 6 200 OK\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if out := s.AppendOutput(nil); len(out) != 0 {
		t.Errorf("output %q given twice", out)
	}
	if err := s.Ack(3); err != nil || len(s.AppendOutput(nil)) != 0 {
		t.Errorf("acknowledging the same once more: %v", err)
	}
	for _, n := range []Txnr{0, 2, 5, MaxTxnr, MaxTxnr + 1} {
		if err := s.Ack(n); !errors.Is(err, ErrNotOutstanding) {
			t.Errorf("Ack(%d) = %v", n, err)
		}
	}
	if s.Waiting() != 1 {
		t.Errorf("%d wait, want 1", s.Waiting())
	}
}

func TestAckBeforeOpenIsRefused(t *testing.T) {
	if err := newSession().Ack(1); !errors.Is(err, ErrNotOutstanding) {
		t.Error(err)
	}
}

func TestTransactionNumbersWrapTo1(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	s.next, s.safe, s.unsent = MaxTxnr-1, MaxTxnr-2, MaxTxnr-1
	got, _, err := take(t, s, "999999998 syslog 1 a\n999999999 syslog 1 b\n1 syslog 1 c\n2 syslog 1 d\n")
	if diff := cmp.Diff([]string{"999999998 a", "999999999 b", "1 c", "2 d"}, got); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	if err := s.Ack(1); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.AppendOutput(nil)), "999999998 rsp 6 200 OK\n999999999 rsp 6 200 OK\n1 rsp 6 200 OK\n"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
	if err := s.Ack(MaxTxnr); !errors.Is(err, ErrNotOutstanding) {
		t.Errorf("going back over the wrap: %v", err)
	}
	if err := s.Ack(2); err != nil || s.Waiting() != 0 {
		t.Errorf("%v, %d wait", err, s.Waiting())
	}
}

func TestCloseIsAnsweredAfterTheLastMessage(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	_, st, err := take(t, s, "2 syslog 1 a\n3 close 0\n4 syslog 1 b\n")
	if st != Closed || err != nil {
		t.Fatal(st, err)
	}
	if out := s.AppendOutput(nil); len(out) != 0 || s.Done() {
		t.Fatalf("output %q, done %v while a message waits", out, s.Done())
	}
	if err := s.Ack(2); err != nil {
		t.Fatal(err)
	}
	want := "2 rsp 6 200 OK\n3 rsp 6 200 OK\n0 serverclose 0\n"
	if got := string(s.AppendOutput(nil)); got != want || !s.Done() {
		t.Errorf("output %q, want %q; done %v", got, want, s.Done())
	}
}

func TestShutdownSaysServerclose(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	take(t, s, "2 syslog 1 a\n")
	s.Shutdown()
	s.Shutdown()
	if texts, st, err := take(t, s, "3 syslog 1 b\n"); len(texts) != 0 || st != Closed || err != nil {
		t.Errorf("after shutdown: %q, %d, %v", texts, st, err)
	}
	if out := s.AppendOutput(nil); len(out) != 0 {
		t.Errorf("output %q before the message is safe", out)
	}
	if err := s.Ack(2); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.AppendOutput(nil)), "2 rsp 6 200 OK\n0 serverclose 0\n"; got != want || !s.Done() {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestMessagesBeforeAnErrorAreStillAcknowledged(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	texts, _, err := take(t, s, "2 syslog 1 a\n3 foo 0\n")
	if len(texts) != 1 || err == nil {
		t.Fatal(texts, err)
	}
	if out := s.AppendOutput(nil); len(out) != 0 {
		t.Fatalf("output %q", out)
	}
	if err := s.Ack(2); err != nil {
		t.Fatal(err)
	}
	want := "2 rsp 6 200 OK\n3 rsp 32 500 command foo is not supported\n0 serverclose 0\n"
	if got := string(s.AppendOutput(nil)); got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestAnOverlongMessageIsAcknowledgedLikeTheOthers(t *testing.T) {
	s := opened(t, Config{MaxData: 100})
	m, _, st, err := s.Next(AppendSyslog(nil, 2, bytes.Repeat([]byte("x"), 250)))
	if st != Delivered || err != nil || !m.Cut || m.Length != 250 || len(m.Text) != 100 {
		t.Fatalf("%+v, %d, %v", m, st, err)
	}
	if err := s.Ack(2); err != nil {
		t.Error(err)
	}
}

func TestARefusedMessageIsAnsweredWithAnErrorBehindTheOthersAndEndsTheSession(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	in := []byte("2 syslog 1 a\n3 syslog 1 b\n4 syslog 1 c\n5 syslog 1 d\n")
	for range 3 {
		_, used, st, err := s.Next(in)
		if st != Delivered || err != nil {
			t.Fatalf("status %d, error %v", st, err)
		}
		in = in[used:]
	}
	s.Refuse(strings.Repeat("x", 100))
	if _, used, st, err := s.Next(in); st != Closed || used != len(in) || err != nil {
		t.Errorf("after it: used %d of %d, status %d, error %v", used, len(in), st, err)
	}
	if s.Waiting() != 2 || len(s.AppendOutput(nil)) != 0 {
		t.Errorf("%d wait; an answer was given before those of the messages in front", s.Waiting())
	}
	if err := s.Ack(4); !errors.Is(err, ErrNotOutstanding) {
		t.Errorf("the refused message was acknowledged: %v", err)
	}
	if err := s.Ack(3); err != nil {
		t.Fatal(err)
	}
	want := "2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 80 500 " + strings.Repeat("x", 76) + "\n0 serverclose 0\n"
	if got := string(s.AppendOutput(nil)); got != want || !s.Done() {
		t.Errorf("output %q, done %v; want %q", got, s.Done(), want)
	}
	s.Refuse("again")
	if out := s.AppendOutput(nil); len(out) != 0 {
		t.Errorf("said after the end: %q", out)
	}
}

func TestTheFirstMessageOfASessionMayBeRefused(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	s.Refuse("nothing was given out")
	if texts, st, err := take(t, s, "2 syslog 1 a\n"); len(texts) != 1 || st != NeedMore || err != nil {
		t.Fatalf("%q, status %d, error %v", texts, st, err)
	}
	s.Refuse("no")
	if got, want := string(s.AppendOutput(nil)), "2 rsp 6 500 no\n0 serverclose 0\n"; got != want || s.Waiting() != 0 {
		t.Errorf("output %q, want %q; %d wait", got, want, s.Waiting())
	}
}
