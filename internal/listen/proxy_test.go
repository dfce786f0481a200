package listen

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/syslog"
)

const v1Four = "PROXY TCP4 192.0.2.7 10.0.0.1 35644 514\r\n"

// oneByOne gives one byte a Read.
type oneByOne struct{ b []byte }

func (o *oneByOne) Read(p []byte) (int, error) {
	if len(o.b) == 0 {
		return 0, io.EOF
	}
	p[0], o.b = o.b[0], o.b[1:]
	return 1, nil
}

func only(address string) func(netip.Addr) bool {
	return Networks([]netip.Prefix{netip.MustParsePrefix(address)})
}

// balancer is a peer that is trusted.
func balancer() Proxy { return Proxy{Trust: only("127.0.0.1/32")} }

type proxyCase struct {
	framingCase
	Expect struct {
		Messages [][]byte `json:"messages_b64"`
		Source   string   `json:"source_ip"`
	} `json:"expect"`
}

func TestProxyCorpus(t *testing.T) {
	cases := slices.DeleteFunc(corpus[proxyCase](t, "framing_dev.jsonl"), func(c proxyCase) bool {
		return !strings.HasPrefix(c.Class, "proxy-")
	})
	if len(cases) == 0 {
		t.Fatal("the corpus has no PROXY cases")
	}
	for _, c := range cases {
		t.Run(c.ID+" "+c.Class, func(t *testing.T) {
			e := newEnv()
			l, _ := startTCP(t, e.tcp(TCPOptions{Proxy: balancer()}))
			conn := dial(t, "tcp", l.Addr().String())
			if err := conn.(*net.TCPConn).SetNoDelay(true); err != nil {
				t.Fatal(err)
			}
			for _, segment := range c.Segments {
				_, _ = conn.Write(segment) // fails where the listener has refused the header
			}
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn) // until the listener has closed
			if c.Expect.Source == "" {
				c.Expect.Source = "127.0.0.1"
			}
			var want []message
			for _, text := range texts(c.Expect.Messages) {
				want = append(want, message{c.Expect.Source, text})
			}
			if d := cmp.Diff(want, e.journal.messages()); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			refused := 0.0
			if c.Class == "proxy-v1-too-long" {
				refused = 1
			} else if e.log.String() != "" {
				t.Errorf("the log is not empty:\n%s", e.log)
			}
			if n := e.metric(t, "kinesyslog_refused_total", "proxy_header"); n != refused {
				t.Errorf("%v refused, want %v", n, refused)
			}
		})
	}
}

func TestProxyHeaderComesBeforeTheHandshake(t *testing.T) {
	c, e := testCertificate(t), newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server(), Proxy: balancer()}))
	for _, header := range []string{v1Four, v2Four} {
		plain := dial(t, "tcp", l.Addr().String())
		send(t, plain, header[:5], header[5:])
		secure := tls.Client(plain, c.client())
		send(t, secure, "<1>a\n")
		finish(t, secure)
	}
	// The header and the first bytes of the handshake in one segment.
	together := tls.Client(&headed{dial(t, "tcp", l.Addr().String()), v2Six}, c.client())
	send(t, together, "<1>a\n")
	if err := together.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	want := []message{{"192.0.2.7", "<1>a"}, {"192.0.2.7", "<1>a"}, {"2001:db8::7", "<1>a"}}
	if d := cmp.Diff(want, e.journal.wait(t, 3)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

// headed sends a header with the first that is written.
type headed struct {
	net.Conn
	header string
}

func (h *headed) Write(p []byte) (int, error) {
	b := append([]byte(h.header), p...)
	n, err := h.Conn.Write(b)
	n = max(0, n-len(h.header))
	h.header = ""
	return n, err
}

func TestProxyHeaderComesBeforeRELP(t *testing.T) {
	e := newRELPEnv()
	l, _ := e.start(t, RELPOptions{Proxy: balancer()})
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, v2Six)
	client := newRELPClient(t, conn)
	client.send("<1>a")
	client.expect("2 rsp 200 OK")
	if d := cmp.Diff([]message{{"2001:db8::7", "<1>a"}}, e.journal.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestHeaderOfAnUntrustedPeerIsNotBelieved(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{Proxy: Proxy{Trust: only("10.0.0.0/8")}}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, v1Four, "<1>a\n")
	finish(t, conn)
	want := []message{{"127.0.0.1", strings.TrimSpace(v1Four)}, {"127.0.0.1", "<1>a"}}
	if d := cmp.Diff(want, e.journal.messages()); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestTrustedPeerWithoutAHeaderIsRefused(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{Proxy: balancer()}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, "<1>a\n")
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection was not closed")
	}
	e.log.wait(t, "must begin with one")
	if n := e.metric(t, "kinesyslog_refused_total", "proxy_header"); n != 1 || len(e.journal.messages()) != 0 {
		t.Errorf("%v refused, messages %v", n, e.journal.messages())
	}
}

func TestProxyHeaderIsNotWaitedForLongerThanAHandshake(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{Proxy: Proxy{Anyone: true}, Handshake: 50 * time.Millisecond}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, v1Four[:20])
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection was not closed")
	}
	e.log.wait(t, "no PROXY protocol header within 50ms")
}

func TestShutdownDoesNotWaitForProxyHeaders(t *testing.T) {
	e := newEnv()
	l, stop := startTCP(t, e.tcp(TCPOptions{Proxy: Proxy{Anyone: true}, Handshake: time.Hour, Drain: time.Hour}))
	for range 20 {
		send(t, dial(t, "tcp", l.Addr().String()), v1Four[:20])
	}
	waitForMetric(t, e, "kinesyslog_connections", 20)
	stop()
	if text := e.log.String(); text != "" {
		t.Errorf("the log is not empty:\n%s", text)
	}
}

func TestHealthChecksAreNotInTheLog(t *testing.T) {
	c, e := testCertificate(t), newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server(), Proxy: balancer()}))
	for _, sent := range []string{"", proxySignatureV2 + "\x20\x00\x00\x00"} {
		for _, linger := range []int{-1, 0} { // with 0 the kernel resets the connection
			conn := dial(t, "tcp", l.Addr().String()).(*net.TCPConn)
			send(t, conn, sent)
			if err := conn.SetLinger(linger); err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
	}
	for e.metric(t, "kinesyslog_connections_total", "") < 4 {
		time.Sleep(time.Millisecond)
	}
	waitForMetric(t, e, "kinesyslog_connections", 0)
	if text := e.log.String(); text != "" {
		t.Errorf("the log is not empty:\n%s", text)
	}
	if n := e.metric(t, "kinesyslog_tls_handshake_failures_total", ""); n != 0 {
		t.Errorf("%v handshakes are counted as failed", n)
	}
}

func TestAllowedAreClientsNotTheBalancer(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		allow        string
		proxy        Proxy
		want         []message
		refused      float64
	}{
		{"a client that is allowed", v1Four, "192.0.2.0/24", balancer(), []message{{"192.0.2.7", "<1>a"}}, 0},
		{"a client that is not", v1Four, "198.51.100.0/24", balancer(), nil, 1},
		{"the balancer itself", proxySignatureV2 + "\x20\x00\x00\x00", "192.0.2.0/24", balancer(), []message{{"127.0.0.1", "<1>a"}}, 0},
		{"a client that is unknown", "PROXY UNKNOWN\r\n", "192.0.2.0/24", balancer(), nil, 1},
		{"anybody, not allowed", v1Four, "192.0.2.0/24", Proxy{Anyone: true}, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv()
			l, _ := startTCP(t, e.tcp(TCPOptions{Allow: only(tt.allow), Proxy: tt.proxy}))
			conn := dial(t, "tcp", l.Addr().String())
			_, _ = io.WriteString(conn, tt.header+"<1>a\n") // may be refused by then
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			if d := cmp.Diff(tt.want, e.journal.messages()); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != tt.refused {
				t.Errorf("%v refused, want %v", n, tt.refused)
			}
		})
	}
}

func TestProxyHeaderOfDatagrams(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Proxy: balancer()}))
	conn := dial(t, "udp", l.Addr().String())
	withTLV := strings.Replace(v2Four, "\x00\x0c", "\x00\x11", 1) + "\x04\x00\x02\x00\x00"
	health := proxySignatureV2 + "\x20\x00\x00\x00"
	send(t, conn,
		v2Four+"<1>a\n", withTLV+"<1>b", v2Six+`{"version":"1.1","host":"a","short_message":"c"}`,
		health, health+"<1>d", "<1>e", v1Four+"<1>f",
		v2Four[:20], strings.Replace(v2Four, "\x00\x0c", "\x00\x20", 1)+"<1>lost", v2Four+"\n", "<1>last")
	want := []message{
		{"192.0.2.7", "<1>a"},
		{"192.0.2.7", "<1>b"},
		{"2001:db8::7", `{"version":"1.1","host":"a","short_message":"c"}`},
		{"127.0.0.1", "<1>d"},
		{"127.0.0.1", "<1>e"},
		{"127.0.0.1", string(syslog.TrimDatagram([]byte(v1Four + "<1>f")))},
		{"127.0.0.1", "<1>last"},
	}
	if d := cmp.Diff(want, e.journal.wait(t, len(want))); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if b := e.balance(t); b.Dropped["proxy_header"] != 2 || b.Dropped["empty"] != 1 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
}

func TestDatagramsOfOtherPeersKeepTheirHeader(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Proxy: Proxy{Trust: only("10.0.0.0/8")}, Allow: only("127.0.0.0/8")}))
	send(t, dial(t, "udp", l.Addr().String()), v2Four+"<1>a")
	if d := cmp.Diff([]message{{"127.0.0.1", v2Four + "<1>a"}}, e.journal.wait(t, 1)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestRefusedDatagramsAreCountedAndNotAnswered(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Proxy: balancer(), Allow: only("2001:db8::/32")}))
	conn := dial(t, "udp", l.Addr().String())
	send(t, conn, "<1>a", v2Four+"<1>b", v2Six+"<1>c")
	if d := cmp.Diff([]message{{"2001:db8::7", "<1>c"}}, e.journal.wait(t, 1)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if n := e.metric(t, "kinesyslog_refused_total", "sender"); n != 2 {
		t.Errorf("%v refused, want 2", n)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes were answered", n)
	}
}
