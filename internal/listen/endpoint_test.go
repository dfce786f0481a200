package listen

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const vpce = "vpce-08d2bf15fac5001c9"

// tlv is one of PROXY protocol version 2.
func tlv(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

// withTLVs is a header with TLVs behind its addresses.
func withTLVs(header string, tlvs ...string) string {
	b := []byte(header + strings.Join(tlvs, ""))
	binary.BigEndian.PutUint16(b[14:], uint16(len(b)-proxyFixedV2))
	return string(b)
}

// checksum and noop are what AWS sends beside the endpoint.
var (
	checksum = tlv(0x03, "\x01\x02\x03\x04")
	noop     = tlv(0x04, strings.Repeat("\x00", 30))
	awsVPCE  = tlv(0xea, "\x01"+vpce)
)

func TestVPCEndpointsAreFoundAmongTLVs(t *testing.T) {
	for _, tt := range []struct{ name, header, want string }{
		{"as AWS writes it", withTLVs(v2Four, checksum, awsVPCE, noop), vpce},
		{"over IPv6", withTLVs(v2Six, awsVPCE, checksum), vpce},
		{"behind long ones", withTLVs(v2Four, tlv(0x20, strings.Repeat("x", 600)), tlv(0x04, strings.Repeat("\xea\x00\x17\x01", 10_000)), awsVPCE), vpce},
		{"behind empty ones", withTLVs(v2Four, tlv(0x04, ""), tlv(0xea, ""), tlv(0xea, "\x01"), awsVPCE), vpce},
		{"the first of two", withTLVs(v2Four, awsVPCE, tlv(0xea, "\x01vpce-2")), vpce},
		{"as long as can be", withTLVs(v2Four, tlv(0xea, "\x01"+strings.Repeat("a", 64))), strings.Repeat("a", 64)},
		{"too long", withTLVs(v2Four, tlv(0xea, "\x01"+strings.Repeat("a", 65))), ""},
		{"another of AWS's", withTLVs(v2Four, tlv(0xea, "\x02"+vpce)), ""},
		{"with a slash", withTLVs(v2Four, tlv(0xea, "\x01vpce-1/192.0.2.9")), ""},
		{"with a control character", withTLVs(v2Four, tlv(0xea, "\x01vpce-1\n")), ""},
		{"not ASCII", withTLVs(v2Four, tlv(0xea, "\x01vpce-\u00fc")), ""},
		{"cut off", withTLVs(v2Four, awsVPCE[:len(awsVPCE)-1]), ""},
		{"only the head", withTLVs(v2Four, awsVPCE[:2]), ""},
		{"none", v2Four, ""},
		{"of the balancer itself", withTLVs(strings.Replace(v2Four, "\x21", "\x20", 1), awsVPCE), ""},
		{"without addresses", withTLVs(proxySignatureV2+"\x21\x00\x00\x00", awsVPCE), ""},
		{"version 1", v1Four + awsVPCE, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := []byte(tt.header + "<13>text")
			whole, _, err := takeProxyHeader(bytes.NewReader(b))
			if err != nil || whole.endpoint.String() != tt.want {
				t.Errorf("got %q, error %v, want %q", whole.endpoint, err, tt.want)
			}
			slow := &oneByOne{b}
			pieces, rest, err := takeProxyHeader(slow)
			if err != nil || pieces != whole || (tt.header[0] == '\r' && string(rest)+string(slow.b) != "<13>text") {
				t.Errorf("byte by byte %q, error %v, %q behind it", pieces.endpoint, err, string(rest)+string(slow.b))
			}
		})
	}
}

func TestLogStreamsHaveTheEndpointInFrontOfTheAddress(t *testing.T) {
	for _, tt := range []struct {
		name   string
		proxy  Proxy
		named  bool
		header string
		want   string
	}{
		{"asked for", balancer(), true, withTLVs(v2Four, awsVPCE), vpce + "/192.0.2.7"},
		{"over IPv6", balancer(), true, withTLVs(v2Six, awsVPCE), vpce + "/2001_db8__7"},
		{"not told", balancer(), true, v2Four, "192.0.2.7"},
		{"not asked for", balancer(), false, withTLVs(v2Four, awsVPCE), "192.0.2.7"},
		{"by somebody who is not trusted by name", Proxy{Anyone: true}, true, withTLVs(v2Four, awsVPCE), "192.0.2.7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Run("TCP", func(t *testing.T) {
				e := newEnv()
				l, _ := startTCP(t, e.tcp(TCPOptions{Proxy: tt.proxy, NameByEndpoint: tt.named}))
				conn := dial(t, "tcp", l.Addr().String())
				send(t, conn, tt.header+"<1>a\n")
				finish(t, conn)
				e.inStream(t, tt.want, "<1>a")
			})
			t.Run("TLS", func(t *testing.T) {
				c, e := testCertificate(t), newEnv()
				l, _ := startTCP(t, e.tcp(TCPOptions{TLS: c.server(), Proxy: tt.proxy, NameByEndpoint: tt.named}))
				conn := tls.Client(&headed{dial(t, "tcp", l.Addr().String()), tt.header}, c.client())
				send(t, conn, "<1>a\n")
				e.journal.wait(t, 1)
				e.inStream(t, tt.want, "<1>a")
			})
			t.Run("RELP", func(t *testing.T) {
				e := newRELPEnv()
				l, _ := e.start(t, RELPOptions{Proxy: tt.proxy, NameByEndpoint: tt.named})
				conn := dial(t, "tcp", l.Addr().String())
				send(t, conn, tt.header)
				c := newRELPClient(t, conn)
				c.send("<1>a")
				c.acknowledged(2, 2)
				e.inStream(t, tt.want, "<1>a")
			})
			t.Run("UDP", func(t *testing.T) {
				e := newEnv()
				l, _ := startUDP(t, e.udp(UDPOptions{Proxy: tt.proxy, NameByEndpoint: tt.named}))
				send(t, dial(t, "udp", l.Addr().String()), tt.header+"<1>a")
				e.journal.wait(t, 1)
				e.inStream(t, tt.want, "<1>a")
			})
		})
	}
}

// inStream fails unless all messages are in one log stream.
func (e *env) inStream(t *testing.T, stream string, texts ...string) {
	t.Helper()
	if d := cmp.Diff(map[string][]string{stream: texts}, e.journal.streams()); d != "" {
		t.Errorf("log streams (-want +got):\n%s", d)
	}
}

func TestSendersWithTheSameAddressBehindTwoEndpointsAreToldApart(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Proxy: balancer(), NameByEndpoint: true}))
	conn := dial(t, "udp", l.Addr().String())
	other := withTLVs(v2Four, tlv(0xea, "\x01vpce-2"))
	send(t, conn, withTLVs(v2Four, awsVPCE)+"<1>a", other+"<1>b", withTLVs(v2Four, awsVPCE)+"<1>c", v2Four+"<1>d")
	e.journal.wait(t, 4)
	want := map[string][]string{vpce + "/192.0.2.7": {"<1>a", "<1>c"}, "vpce-2/192.0.2.7": {"<1>b"}, "192.0.2.7": {"<1>d"}}
	if d := cmp.Diff(want, e.journal.streams()); d != "" {
		t.Errorf("log streams (-want +got):\n%s", d)
	}
}

func TestDatagramsFromBehindAnEndpointCostNoAllocation(t *testing.T) {
	e := newEnv()
	u, err := NewUDP(e.udp(UDPOptions{Proxy: balancer(), NameByEndpoint: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	peer, from := netip.MustParseAddr("127.0.0.1"), newSenders(u.sources)
	for _, header := range []string{v2Four, withTLVs(v2Four, checksum, awsVPCE, noop)} {
		datagram := slices.Concat([]byte(header), []byte("<1>a"))
		if n := testing.AllocsPerRun(100, func() {
			ip, via, _, ok := u.admit(peer, datagram)
			if !ok || from.through(via, ip) == nil {
				t.Fatal("refused")
			}
		}); n != 0 {
			t.Errorf("%d bytes: %v allocations", len(header), n)
		}
	}
}
