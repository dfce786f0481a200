package listen

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/dtls/v3"

	"kinesyslog/internal/access"
	"kinesyslog/internal/cert"
)

func TestDTLSRecordHoldsOneMessageOrMore(t *testing.T) {
	e := newEnv()
	l, stop := startDTLS(t, e.dtls(DTLSOptions{MaxMessage: 60}))
	if want := fmt.Sprintf("dtls/%d", l.Addr().(*net.UDPAddr).Port); l.Name() != want {
		t.Errorf("the listener is named %s, want %s", l.Name(), want)
	}
	conn := dialDTLS(t, l)
	send(t, conn, "7 <1>bare", "<2>bare", "8 <3>count8 <4>count", "9 <5>short", "<6>"+strings.Repeat("x", 100), `{"version":"1.1","host":"h","short_message":"m"}`, "<7>last\n")
	e.journal.wait(t, 8)
	stop()
	want := []string{"<1>bare", "<2>bare", "<3>count", "<4>count", "<5>short", "<6>" + strings.Repeat("x", 57), `{"version":"1.1","host":"h","short_message":"m"}`, "<7>last"}
	if d := cmp.Diff(want, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if got := e.journal.ofFormat("gelf"); len(got) != 1 {
		t.Errorf("as GELF came %q", got)
	}
	if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 1 {
		t.Errorf("%v messages were cut, want 1", n)
	}
	e.log.wait(t, "--max-message-bytes")
	if b := e.balance(t); b.Received != 8 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
}

func TestDTLSPoliciesRefuseAndPermit(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	good, other := ours.sign(t, "good", "fw.example.com"), ours.sign(t, "other", "other.example.com")
	stranger, unknown := theirs.sign(t, "stranger", "fw.example.com"), theirs.sign(t, "unknown", "fw.example.com")
	var rules []access.Rule
	for _, text := range []string{"fw.example.com", cert.Fingerprint(stranger.Certificate[0])} {
		rule, err := access.ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	store := ours.store(t, access.Options{Auth: access.Require, Authorities: []string{ours.file("ca.crt")}, Permit: rules})
	for _, tt := range []struct {
		name   string
		opts   []dtls.ClientOption
		reason access.Reason
	}{
		{"its name is permitted", []dtls.ClientOption{dtls.WithCertificates(good)}, ""},
		{"its fingerprint is permitted", []dtls.ClientOption{dtls.WithCertificates(stranger)}, ""},
		{"its name is not permitted", []dtls.ClientOption{dtls.WithCertificates(other)}, access.NotPermitted},
		{"nobody vouches for it", []dtls.ClientOption{dtls.WithCertificates(unknown)}, access.Untrusted},
		{"it shows none", nil, access.NoCertificate},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv()
			l, stop := startDTLS(t, e.dtls(DTLSOptions{Access: store.Handshake}))
			conn, err := shakeDTLS(t, datagramSocket(t), l, 5*time.Second, tt.opts...)
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				send(t, conn, "<1>in")
				e.journal.wait(t, 1)
				return
			}
			if err == nil {
				t.Error("the client was let in")
			}
			stop()
			if n := e.metric(t, "kinesyslog_refused_total", "certificate_"+string(tt.reason)); n != 1 {
				t.Errorf("%v refusals counted, want 1; log: %s", n, e.log)
			}
			if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 {
				t.Errorf("%v of them counted as failures, too", n)
			}
			e.log.wait(t, "reason="+string(tt.reason))
		})
	}
}

func TestDTLSHandshakesFollowTheFilesAndSessionsStay(t *testing.T) {
	ours := newAuthority(t)
	good := ours.sign(t, "good", "fw.example.com")
	ours.write(t, "permit", []byte("fw.example.com\n"))
	store := ours.store(t, access.Options{Auth: access.Require, Authorities: []string{ours.file("ca.crt")}, PermitFiles: []string{ours.file("permit")}})
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{Access: store.Handshake}))
	conn := dialDTLS(t, l, dtls.WithCertificates(good))
	ours.write(t, "permit", []byte("other.example.com\n"))
	renewed := ours.sign(t, "relay", "relay.test")
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := shakeDTLS(t, datagramSocket(t), l, 5*time.Second, dtls.WithCertificates(good)); err == nil {
		t.Error("a client was let in that is not permitted any more")
	}
	send(t, conn, "<1>still here")
	e.journal.wait(t, 1)
	ours.write(t, "permit", []byte("fw.example.com\n"))
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	state, ok := dialDTLS(t, l, dtls.WithCertificates(good)).ConnectionState()
	if !ok || string(state.PeerCertificates[0]) != string(renewed.Certificate[0]) {
		t.Error("the certificate shown is not the new one")
	}
}

func TestASpoofedClientHelloGetsOnlyAHelloVerifyRequest(t *testing.T) {
	e, limited := newEnv(), limits(t, LimitOptions{Connections: 1, ConnectionsPerAddress: 1})
	l, stop := startDTLS(t, e.dtls(DTLSOptions{Limits: limited}))
	hello := clientHello(t, l)
	victim := dial(t, "udp", l.Addr().String())
	send(t, victim, string(hello))
	answer := make([]byte, 2048)
	n, err := victim.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	if !isDTLSHandshake(answer[:n]) || answer[dtlsHandshakeType] != dtlsHelloVerifyRequest || n > len(hello) {
		t.Errorf("%d bytes are answered with %d: %x", len(hello), n, answer[:n])
	}
	silent(t, victim, 1500*time.Millisecond) // longer than the library waits to say it again
	// Without the cookie it took no place, so that somebody else can.
	send(t, dialDTLS(t, l), "<1>good")
	e.journal.wait(t, 1)
	stop()
	if n := e.metric(t, "kinesyslog_dtls_unproven_total", ""); n != 1 {
		t.Errorf("%v unproven peers counted, want 1", n)
	}
	if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 {
		t.Errorf("%v failures counted", n)
	}
}

func TestForgedAddressesTakeNoPlaceOfRealOnes(t *testing.T) {
	e := newEnv()
	l, stop := startDTLS(t, e.dtls(DTLSOptions{}))
	hello := clientHello(t, l)
	for i := range maxUnproven + 100 {
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 9, byte(i>>8), byte(i))}, l.Addr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		send(t, conn, string(hello))
		if _, err := conn.Read(make([]byte, 2048)); err != nil { // one by one, so that the kernel drops none
			t.Fatal(err)
		}
		conn.Close()
	}
	send(t, dialDTLS(t, l), "<1>good")
	e.journal.wait(t, 1)
	waitForMetric(t, e, "kinesyslog_dtls_unproven_total", 101)
	e.log.wait(t, "see that our answers reach it")
	l.peers.mu.Lock()
	if n := l.peers.unproven.Len(); n != maxUnproven-1 {
		t.Errorf("%d peers wait for a cookie, want %d", n, maxUnproven-1)
	}
	l.peers.mu.Unlock()
	stop()
	if len(l.peers.known) != 0 || l.peers.unproven.Len() != 0 {
		t.Errorf("%d peers are known at the end", len(l.peers.known))
	}
}

func TestDTLSShutdownReadsWhatIsOnItsWayAndSaysGoodbye(t *testing.T) {
	e, limited := newEnv(), limits(t, LimitOptions{Connections: 9, ConnectionsPerAddress: 9, Memory: 1 << 20})
	l, stop := startDTLS(t, e.dtls(DTLSOptions{Limits: limited}))
	conn := dialDTLS(t, l)
	const count = 50 // no more than wait for a session
	for i := range count {
		send(t, conn, fmt.Sprintf("<1>%d", i))
	}
	stop()
	if n := len(e.journal.messages()); n != count {
		t.Errorf("%d messages came, want %d", n, count)
	}
	if _, err := conn.Read(make([]byte, 100)); !errors.Is(err, io.EOF) {
		t.Errorf("the client reads %v, want the end", err)
	}
	if limited.open.Load() != 0 || limited.memory.Load() != 0 || len(limited.from) != 0 {
		t.Errorf("at the end %d sessions of %v with %d bytes are counted", limited.open.Load(), limited.from, limited.memory.Load())
	}
	if n := e.metric(t, "kinesyslog_connections", ""); n != 0 {
		t.Errorf("%v sessions are open after the end", n)
	}
}

func TestManyDTLSSessionsAtOnce(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{}))
	const sessions, each = 40, 20
	var group sync.WaitGroup
	for i := range sessions {
		conn := dialDTLS(t, l)
		group.Go(func() {
			for j := range each {
				if _, err := fmt.Fprintf(conn, "<1>%d %d", i, j); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for _, m := range e.journal.wait(t, sessions*each) {
		seen[m.Text] = true
	}
	if len(seen) != sessions*each {
		t.Errorf("%d different messages came, want %d", len(seen), sessions*each)
	}
	if n := e.metric(t, "kinesyslog_connections", ""); n != sessions {
		t.Errorf("%v sessions are open, want %d", n, sessions)
	}
}

func TestGarbageHarmsNoDTLSSession(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{}))
	hello := clientHello(t, l)
	stranger, socket := dial(t, "udp", l.Addr().String()), datagramSocket(t)
	garbage := []string{"x", "<1>syslog without DTLS", string([]byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0}), strings.Repeat("\x16", 200)}
	send(t, stranger, garbage...)
	waitForMetric(t, e, "kinesyslog_dtls_no_session_total", float64(len(garbage)))
	e.log.wait(t, "belongs to no session")
	silent(t, stranger, 50*time.Millisecond)
	send(t, stranger, string(hello[:40]), string(hello[:14])+strings.Repeat("\xff", 300)) // begins like a handshake

	conn, err := shakeDTLS(t, socket, l, patience)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range garbage {
		if _, err := socket.WriteTo([]byte(text), l.Addr()); err != nil {
			t.Fatal(err)
		}
		if _, err := socket.WriteTo(hello, l.Addr()); err != nil { // nobody ends a session from outside
			t.Fatal(err)
		}
		send(t, conn, fmt.Sprintf("<1>%d", i))
	}
	if got := textsOf(e.journal.wait(t, len(garbage))); len(got) != len(garbage) {
		t.Errorf("messages are %q", got)
	}
	if _, err := socket.WriteTo(make([]byte, maxDTLSDatagram+1), l.Addr()); err != nil {
		t.Fatal(err)
	}
	e.log.wait(t, "reason=too_long")
}

func TestDTLSSessionsCountAsConnections(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{Limits: limits(t, LimitOptions{ConnectionsPerAddress: 1})}))
	first := dialDTLS(t, l)
	if _, err := shakeDTLS(t, datagramSocket(t), l, time.Second); err == nil {
		t.Error("a second session of the sender was begun")
	}
	if n := e.metric(t, "kinesyslog_refused_total", "connections_of_address"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
	e.log.wait(t, "--max-connections-per-address")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	waitForMetric(t, e, "kinesyslog_connections", 0)
	send(t, dialDTLS(t, l), "<1>next")
	e.journal.wait(t, 1)
}

func TestSilentDTLSSessionIsClosed(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{Idle: 50 * time.Millisecond}))
	if _, err := dialDTLS(t, l).Read(make([]byte, 100)); !errors.Is(err, io.EOF) {
		t.Errorf("the client reads %v, want the end", err)
	}
	waitForMetric(t, e, "kinesyslog_connections", 0)
	if n := e.metric(t, "kinesyslog_connections_closed_total", "idle"); n != 1 {
		t.Errorf("%v counted, want 1", n)
	}
}

func TestDTLSHandshakeHasATimeLimit(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{Handshake: 100 * time.Millisecond}))
	// It sends its two hellos, and nothing after them.
	socket := filtered{datagramSocket(t), func(b []byte) bool { return isDTLSHandshake(b) && b[dtlsHandshakeType] == dtlsClientHello }}
	if _, err := shakeDTLS(t, socket, l, time.Second); err == nil {
		t.Error("half a handshake was enough")
	}
	waitForMetric(t, e, "kinesyslog_tls_handshake_failures_total", 1)
	waitForMetric(t, e, "kinesyslog_connections", 0)
}

func TestDTLSAnswersNobodyWhoMayNotSend(t *testing.T) {
	e := newEnv()
	l, _ := startDTLS(t, e.dtls(DTLSOptions{Allow: func(ip netip.Addr) bool { return ip != netip.MustParseAddr("127.0.0.2") }}))
	hello := clientHello(t, l)
	stranger := dialFrom(t, "udp", "127.0.0.2", l.Addr())
	send(t, stranger, string(hello))
	e.log.wait(t, "in no network of --allow")
	silent(t, stranger, 50*time.Millisecond)
	if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 1 {
		t.Errorf("%v refused, want 1", n)
	}
}

func TestDTLSMessagesOverTheRateAreDroppedAndCounted(t *testing.T) {
	e := newEnv()
	l, stop := startDTLS(t, e.dtls(DTLSOptions{Limits: limits(t, LimitOptions{Rate: 2})}))
	conn := dialDTLS(t, l)
	send(t, conn, strings.Repeat("4 <1>a", 10))
	e.log.wait(t, "--rate-limit")
	stop()
	if n := len(e.journal.messages()); n != 2 {
		t.Errorf("%d messages came, want 2", n)
	}
	if b := e.balance(t); b.Dropped["rate"] != 8 {
		t.Errorf("ledger: %+v", b)
	}
}
