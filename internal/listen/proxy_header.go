package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// proxyHeader is what a PROXY protocol header says of a connection or datagram.
type proxyHeader struct {
	// source is the client's canonical address. It is not valid where the
	// header names none (UNKNOWN, LOCAL, UNSPEC, UNIX): the peer's stands.
	source netip.Addr
	// local says that the proxy speaks for itself: a health check.
	local bool
	// size is the length of the whole header, TLVs included. It may be more than
	// what was parsed.
	size int
	// tlvs is where the TLVs begin, if any are looked at: those behind addresses.
	tlvs int
	// endpoint is found among the TLVs, by whoever has them all.
	endpoint vpcEndpoint
}

const (
	proxyPrefixV1    = "PROXY "
	proxySignatureV2 = "\r\n\r\n\x00\r\nQUIT\n"
	proxyLongestV1   = 107 // with CR LF, says the specification
	proxyFixedV2     = 16
)

var (
	errNoProxyHeader  = errors.New("no PROXY protocol header")
	errShortAddresses = errors.New("PROXY protocol header is too short for its addresses")
)

// parseProxyHeader reads the header of PROXY protocol version 1 or 2 at the
// start of b. more: b is too short to tell. The error is errNoProxyHeader where
// b begins with something else, or says what is wrong with the header.
func parseProxyHeader(b []byte) (h proxyHeader, more bool, err error) {
	switch {
	case begins(b, proxySignatureV2):
		return parseProxyV2(b)
	case begins(b, proxyPrefixV1):
		return parseProxyV1(b)
	}
	return proxyHeader{}, false, errNoProxyHeader
}

// begins tells whether b begins with prefix, or is the start of it.
func begins(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

// parseProxyV1 reads a line: PROXY TCP4 client proxy port port CR LF.
func parseProxyV1(b []byte) (h proxyHeader, more bool, err error) {
	end := bytes.Index(b[:min(len(b), proxyLongestV1)], []byte("\r\n"))
	if end < 0 {
		if len(b) >= proxyLongestV1 {
			return h, false, fmt.Errorf("PROXY protocol header has no CR LF in its first %d bytes", proxyLongestV1)
		}
		return h, true, nil
	}
	line := string(b[:end])
	h.size = end + 2
	if line == "PROXY UNKNOWN" || strings.HasPrefix(line, "PROXY UNKNOWN ") {
		return h, false, nil
	}
	fields := strings.Split(line, " ")
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return h, false, fmt.Errorf("PROXY protocol header %q does not name a family, two addresses and two ports", line)
	}
	for i, field := range fields[2:4] {
		ip, err := netip.ParseAddr(field)
		if err != nil || ip.Is4() != (fields[1] == "TCP4") || ip.Zone() != "" {
			return h, false, fmt.Errorf("PROXY protocol header: %q is not an address of %s", field, fields[1])
		}
		if i == 0 {
			h.source = canonical(ip)
		}
	}
	for _, field := range fields[4:] {
		if _, err := strconv.ParseUint(field, 10, 16); err != nil {
			return h, false, fmt.Errorf("PROXY protocol header: %q is not a port", field)
		}
	}
	return h, false, nil
}

// parseProxyV2 reads the binary header up to the TLVs, which are only counted
// in.
func parseProxyV2(b []byte) (h proxyHeader, more bool, err error) {
	if len(b) < proxyFixedV2 {
		return h, true, nil
	}
	command, family := b[12], b[13]
	length := int(binary.BigEndian.Uint16(b[14:]))
	h.size = proxyFixedV2 + length
	switch command {
	case 0x20:
		h.local = true
		return h, false, nil
	case 0x21:
	default:
		return h, false, fmt.Errorf("PROXY protocol header: version and command %#02x are not 0x20 or 0x21", command)
	}
	if family&0x0f > 2 {
		return h, false, fmt.Errorf("PROXY protocol header: transport %#02x is unknown", family)
	}
	need := 0 // bytes of both addresses and ports
	switch family >> 4 {
	case 1:
		need = 4 + 4 + 2 + 2
	case 2:
		need = 16 + 16 + 2 + 2
	case 0, 3: // not said, or a Unix socket of the proxy's host
		return h, false, nil
	default:
		return h, false, fmt.Errorf("PROXY protocol header: address family %#02x is unknown", family)
	}
	switch {
	case length < need:
		return h, false, errShortAddresses
	case len(b) < proxyFixedV2+need:
		return h, true, nil
	case need == 12:
		h.source = netip.AddrFrom4([4]byte(b[proxyFixedV2:]))
	default:
		h.source = canonical(netip.AddrFrom16([16]byte(b[proxyFixedV2:])))
	}
	h.tlvs = proxyFixedV2 + need
	return h, false, nil
}
