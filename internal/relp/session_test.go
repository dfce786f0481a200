package relp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const libOpen = "1 open 86 relp_version=0\nrelp_software=librelp,1.2.13,http://librelp.adiscon.com\ncommands=syslog\n"

func newSession() *Session {
	return NewSession(Config{MaxData: 1000, Software: "kinesyslog,1"})
}

// opened returns a session whose client has said open and heard the answer.
func opened(t *testing.T, cfg Config) *Session {
	t.Helper()
	s := NewSession(cfg)
	_, used, st, err := s.Next([]byte(libOpen))
	if used != len(libOpen) || st != NeedMore || err != nil {
		t.Fatalf("open: used %d, status %d, err %v", used, st, err)
	}
	s.AppendOutput(nil)
	return s
}

// take reads messages until there are no more, and returns their texts.
func take(t *testing.T, s *Session, in string) (texts []string, st Status, err error) {
	t.Helper()
	for {
		m, used, st, err := s.Next([]byte(in))
		in = in[used:]
		if st != Delivered {
			return texts, st, err
		}
		texts = append(texts, fmt.Sprintf("%d %s", m.Txnr, m.Text))
	}
}

func TestOpenIsAnsweredWithWhatBothSidesKnow(t *testing.T) {
	const software, rest = "relp_software=kinesyslog,1\n", "commands=syslog"
	for _, tc := range []struct{ name, offers, want string }{
		{"librelp", "relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog", "200 OK\nrelp_version=0\n" + software + rest},
		{"version 1", "relp_version=1\ncommands=syslog", "200 OK\nrelp_version=1\n" + software + rest},
		{"a later version", "relp_version=7\ncommands=syslog", "200 OK\nrelp_version=1\n" + software + rest},
		{"several versions", "relp_version=0,1,2\ncommands=syslog", "200 OK\nrelp_version=1\n" + software + rest},
		{"no version", "commands=syslog", "200 OK\nrelp_version=0\n" + software + rest},
		{"several commands", "relp_version=0\ncommands=eventlog,syslog\n", "200 OK\nrelp_version=0\n" + software + rest},
		{"unknown offers", "x\nrelp_version=0\ny=1,2\n\ncommands=syslog", "200 OK\nrelp_version=0\n" + software + rest},
		{"no syslog", "relp_version=0\ncommands=eventlog", "500 required command syslog not supported by client"},
		{"nothing at all", "", "500 required command syslog not supported by client"},
		{"version not a number", "relp_version=x\ncommands=syslog", `500 relp_version "x" is not a number`},
		{"version empty", "relp_version=\ncommands=syslog", `500 relp_version "" is not a number`},
		{"endless", "relp_version=0\ncommands=syslog," + strings.Repeat("a", 1000), "500 offers of 1031 bytes are too long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSession()
			_, _, _, err := s.Next(AppendFrame(nil, 1, "open", []byte(tc.offers)))
			want := string(AppendFrame(nil, 1, "rsp", []byte(tc.want)))
			if strings.HasPrefix(tc.want, "500") {
				want += "0 serverclose 0\n"
			}
			if diff := cmp.Diff(want, string(s.AppendOutput(nil))); diff != "" {
				t.Error(diff)
			}
			if refused := strings.HasPrefix(tc.want, "500"); refused != (err != nil) || refused != s.Done() {
				t.Errorf("err = %v, done = %v", err, s.Done())
			}
		})
	}
}

func TestAFullWindowDelaysAndLosesNothing(t *testing.T) {
	s := opened(t, Config{MaxData: 1000, Window: 2})
	in := []byte("2 syslog 1 a\n3 syslog 1 b\n4 syslog 1 c\n")
	var got []string
	for {
		m, used, st, err := s.Next(in)
		in = in[used:]
		if err != nil {
			t.Fatal(err)
		}
		if st == NeedMore {
			break
		}
		if st == WindowFull {
			if s.Waiting() != 2 {
				t.Fatalf("full with %d waiting", s.Waiting())
			}
			if err := s.Ack(3); err != nil {
				t.Fatal(err)
			}
			s.AppendOutput(nil)
			continue
		}
		got = append(got, string(m.Text))
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestProtocolErrorsEndTheSession(t *testing.T) {
	const opened = "1 open 30 relp_version=0\ncommands=syslog\n"
	for _, tc := range []struct {
		name, in string
		reason   Reason
		said     string // to the client, before serverclose
	}{
		{"damaged frame", opened + "2 syslog 1 ab\n", BadFrame, ""},
		{"number skipped", opened + "3 syslog 1 a\n", BadTxnr, ""},
		{"number repeated", opened + "1 syslog 1 a\n", BadTxnr, ""},
		{"number not from 1", "2 open 30 relp_version=0\ncommands=syslog\n", BadTxnr, ""},
		{"open twice", opened + "2 open 30 relp_version=0\ncommands=syslog\n", BadCommand, "2 rsp 42 500 open in a session that is open already\n"},
		{"syslog before open", "1 syslog 1 a\n", BadCommand, "1 rsp 22 500 syslog before open\n"},
		{"unknown command", opened + "2 starttls 0\n", BadCommand, "2 rsp 37 500 command starttls is not supported\n"},
		{"response", opened + "2 rsp 6 200 OK\n", BadCommand, ""},
		{"message as hint", opened + "0 syslog 1 a\n", BadCommand, ""},
		{"no syslog", "1 open 14 relp_version=0\n", BadOffer, "1 rsp 51 500 required command syslog not supported by client\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSession()
			texts, st, err := take(t, s, tc.in)
			var pe *ProtocolError
			if !errors.As(err, &pe) || pe.Reason != tc.reason || st != Closed || len(texts) != 0 {
				t.Fatalf("%q, status %d, err %v", texts, st, err)
			}
			out := string(s.AppendOutput(nil))
			if !strings.HasSuffix(out, tc.said+"0 serverclose 0\n") || tc.said == "" && strings.Contains(out, "500") {
				t.Errorf("output %q, want %q and serverclose", out, tc.said)
			}
			if _, _, st, again := s.Next([]byte("2 syslog 1 a\n")); st != Closed || again != err {
				t.Errorf("reading on gives status %d, err %v", st, again)
			}
		})
	}
}

func TestHintsArePassedOver(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	got, st, err := take(t, s, "0 hint 3 abc\n2 syslog 1 a\n0 serverclose 0\n3 syslog 1 b\n")
	if diff := cmp.Diff([]string{"2 a", "3 b"}, got); diff != "" || st != NeedMore || err != nil {
		t.Error(diff, st, err)
	}
}

func TestASyslogFrameAllocatesNothing(t *testing.T) {
	s := opened(t, Config{MaxData: 1000})
	in := make([]byte, 0, 100)
	out := make([]byte, 0, 100)
	n := testing.AllocsPerRun(1000, func() {
		m, used, st, err := s.Next(AppendSyslog(in, s.next, []byte("<13>hello")))
		if st != Delivered || err != nil || used == 0 {
			t.Fatal(st, err)
		}
		if s.Ack(m.Txnr) != nil || len(s.AppendOutput(out)) == 0 {
			t.Fatal("no answer")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func BenchmarkSession(b *testing.B) {
	s := NewSession(Config{MaxData: 65536})
	s.Next([]byte("1 open 30 relp_version=0\ncommands=syslog\n"))
	text := bytes.Repeat([]byte("x"), 200)
	var in, out []byte
	b.ReportAllocs()
	for b.Loop() {
		in = AppendSyslog(in[:0], s.next, text)
		m, _, st, err := s.Next(in)
		if st != Delivered || err != nil {
			b.Fatal(st, err)
		}
		if err := s.Ack(m.Txnr); err != nil {
			b.Fatal(err)
		}
		out = s.AppendOutput(out[:0])
	}
}
