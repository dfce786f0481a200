package listen

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

const (
	v2Four = proxySignatureV2 + "\x21\x11\x00\x0c" + "\xc0\x00\x02\x07\x0a\x00\x00\x01\x8b\x3c\x02\x02"
	v2Six  = proxySignatureV2 + "\x21\x21\x00\x24" + "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x8b\x3c\x02\x02"
)

func TestProxyHeaderNamesTheClient(t *testing.T) {
	for _, tt := range []struct {
		name, header, source string
		local                bool
		tlvs                 int // bytes that are counted in but not given
	}{
		{name: "version 1, IPv4", header: "PROXY TCP4 192.0.2.7 10.0.0.1 35644 514\r\n", source: "192.0.2.7"},
		{name: "version 1, IPv6", header: "PROXY TCP6 2001:db8::7 2001:db8::1 35644 514\r\n", source: "2001:db8::7"},
		{name: "version 1, IPv4 in IPv6", header: "PROXY TCP6 ::ffff:192.0.2.7 ::1 35644 514\r\n", source: "192.0.2.7"},
		{name: "version 1, the longest", header: "PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n"},
		{name: "version 1, unknown", header: "PROXY UNKNOWN\r\n"},
		{name: "version 2, IPv4", header: v2Four, source: "192.0.2.7"},
		{name: "version 2, IPv4 datagram", header: strings.Replace(v2Four, "\x21\x11", "\x21\x12", 1), source: "192.0.2.7"},
		{name: "version 2, IPv6", header: v2Six, source: "2001:db8::7"},
		{name: "version 2, most TLVs", header: strings.Replace(v2Four, "\x00\x0c", "\xff\xff", 1), source: "192.0.2.7", tlvs: 65535 - 12},
		{name: "version 2, local", header: proxySignatureV2 + "\x20\x00\x00\x00", local: true},
		{name: "version 2, local with addresses", header: strings.Replace(v2Four, "\x21", "\x20", 1), local: true},
		{name: "version 2, not said", header: proxySignatureV2 + "\x21\x00\x00\x00"},
		{name: "version 2, Unix socket", header: proxySignatureV2 + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 216)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, more, err := parseProxyHeader([]byte(tt.header + "<13>text"))
			if err != nil || more {
				t.Fatalf("more %v, error %v", more, err)
			}
			source := ""
			if h.source.IsValid() {
				source = h.source.String()
			}
			if source != tt.source || h.local != tt.local || h.size != len(tt.header)+tt.tlvs {
				t.Errorf("%+v, want source %q, local %v, size %d", h, tt.source, tt.local, len(tt.header)+tt.tlvs)
			}
			need := len(tt.header)
			if h.local || tt.source == "" {
				need = min(need, proxyFixedV2) // addresses are not waited for
			}
			if tt.header[0] == 'P' {
				need = len(tt.header)
			}
			for n := range need {
				if _, more, err := parseProxyHeader([]byte(tt.header[:n])); !more || err != nil {
					t.Fatalf("%d bytes of it: more %v, error %v", n, more, err)
				}
			}
		})
	}
}

func TestDamagedProxyHeaderIsAnError(t *testing.T) {
	for _, header := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 35644 514\n" + strings.Repeat("x", 100),
		"PROXY TCP4 192.0.2.7 10.0.0.1 35644 65536\r\n",
		"PROXY TCP4 192.0.2.7 10.0.0.1 35644\r\n",
		"PROXY TCP4  192.0.2.7 10.0.0.1 35644 514\r\n",
		"PROXY TCP4 2001:db8::7 2001:db8::1 35644 514\r\n",
		"PROXY TCP6 192.0.2.7 10.0.0.1 35644 514\r\n",
		"PROXY TCP6 fe80::1%eth0 ::1 35644 514\r\n",
		"PROXY TCP4 192.0.2.7 x 35644 514\r\n",
		"PROXY UDP4 192.0.2.7 10.0.0.1 35644 514\r\n",
		"PROXY \r\n",
		"PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n",
		strings.Replace(v2Four, "\x21", "\x11", 1),
		strings.Replace(v2Four, "\x21", "\x22", 1),
		strings.Replace(v2Four, "\x21\x11", "\x21\x41", 1),
		strings.Replace(v2Four, "\x21\x11", "\x21\x13", 1),
		strings.Replace(v2Four, "\x00\x0c", "\x00\x0b", 1),
		strings.Replace(v2Six, "\x00\x24", "\x00\x0c", 1),
	} {
		if _, more, err := parseProxyHeader([]byte(header)); err == nil || more || errors.Is(err, errNoProxyHeader) {
			t.Errorf("%q: more %v, error %v", header, more, err)
		}
	}
	for _, text := range []string{"<13>text", "PROXXY ", "proxy TCP4", "\r\n\r\n\x00\r\nQUIT\r", "{\"version\"", "1 <13>"} {
		if _, more, err := parseProxyHeader([]byte(text)); !errors.Is(err, errNoProxyHeader) || more {
			t.Errorf("%q: more %v, error %v", text, more, err)
		}
	}
}

func FuzzProxyHeader(f *testing.F) {
	for _, seed := range []string{v2Four, v2Six, withTLVs(v2Four, checksum, awsVPCE, noop), "PROXY TCP4 192.0.2.7 10.0.0.1 35644 514\r\n", "PROXY UNKNOWN\r\n", "<13>a", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, more, err := parseProxyHeader(b)
		switch {
		case more && err != nil:
			t.Fatal("both an error and a wish for more")
		case more && len(b) >= proxyLongestV1:
			t.Fatalf("%d bytes are not enough", len(b))
		case more || err != nil:
			return
		case h.size < len("PROXY \r\n") || h.size > proxyFixedV2+65535:
			t.Fatalf("size is %d", h.size)
		case h.source != (netip.Addr{}) && h.source != canonical(h.source):
			t.Fatalf("%s is not canonical", h.source)
		}
		// However it is split, the same comes out, and what is behind it is left.
		_, whole, err := takeProxyHeader(bytes.NewReader(b))
		if h.size > len(b) {
			if err == nil {
				t.Fatal("a header whose end is missing was taken")
			}
			return
		}
		if h.tlvs > 0 {
			var tlvs endpointFinder
			if n, err := tlvs.Write(b[h.tlvs:h.size]); n != h.size-h.tlvs || err != nil {
				t.Fatalf("%d bytes of TLVs were taken, error %v", n, err)
			}
			h.endpoint = tlvs.found
		}
		slow := &oneByOne{b}
		got, rest, err2 := takeProxyHeader(slow)
		if err != nil || err2 != nil || got != h {
			t.Fatalf("%+v in one piece (%v), %+v byte by byte (%v)", h, err, got, err2)
		}
		if len(b) <= 512 && string(whole) != string(b[h.size:]) || string(rest)+string(slow.b) != string(b[h.size:]) {
			t.Fatalf("%q and %q are left behind it, want %q", whole, rest, b[h.size:])
		}
	})
}
