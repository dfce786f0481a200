package listen

import (
	"encoding/binary"
	"net/netip"
)

// maxEndpoint is the longest id of a VPC endpoint that is taken for one. AWS's
// have 22 characters.
const maxEndpoint = 64

// vpcEndpoint is the id of the AWS VPC endpoint (PrivateLink) through which a
// client has come to a Network Load Balancer, which tells it in its PROXY
// protocol header. The zero value is none.
type vpcEndpoint struct {
	id [maxEndpoint]byte
	n  uint8
}

func (e vpcEndpoint) String() string { return string(e.id[:e.n]) }

// stream is what the log stream of a sender behind the endpoint is called; empty
// without one. Addresses of different VPCs may be the same, so it has both.
func (e vpcEndpoint) stream(sender netip.Addr) string {
	if e.n == 0 {
		return ""
	}
	return e.String() + "/" + sender.String()
}

// The TLV of AWS's PROXY protocol headers: type 0xEA, whose value begins with a
// type of its own, 1 for the id of an endpoint.
const (
	tlvAWS         = 0xEA
	tlvAWSEndpoint = 0x01
	tlvHead        = 3 // type, and length in two bytes
)

// endpointFinder finds the id of a VPC endpoint among the TLVs behind the
// addresses of a PROXY protocol header of version 2. They may be written to it
// in any pieces; of others nothing is kept. What is damaged is passed over, as
// the addresses in front of it are good.
type endpointFinder struct {
	head   [tlvHead]byte
	held   int // bytes of the head
	left   int // bytes of the value that are yet to come
	wanted bool
	value  [1 + maxEndpoint]byte
	filled int

	found vpcEndpoint // the first
}

// Write implements io.Writer. It never fails.
func (f *endpointFinder) Write(b []byte) (int, error) {
	whole := len(b)
	for len(b) > 0 {
		if f.held < tlvHead {
			n := copy(f.head[f.held:], b)
			f.held += n
			b = b[n:]
			if f.held < tlvHead {
				break
			}
			f.left, f.filled = int(binary.BigEndian.Uint16(f.head[1:])), 0
			f.wanted = f.head[0] == tlvAWS && f.found.n == 0 && f.left <= len(f.value)
		}
		n := min(len(b), f.left)
		if f.wanted {
			f.filled += copy(f.value[f.filled:], b[:n])
		}
		f.left -= n
		b = b[n:]
		if f.left == 0 {
			f.held = 0
			if f.wanted {
				f.look(f.value[:f.filled])
			}
		}
	}
	return whole, nil
}

// look takes a value for an endpoint's if it is one: letters, digits and
// hyphens, so that nothing in a log stream's name could be mistaken.
func (f *endpointFinder) look(value []byte) {
	if len(value) < 2 || value[0] != tlvAWSEndpoint {
		return
	}
	id := value[1:]
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return
		}
	}
	f.found.n = uint8(copy(f.found.id[:], id))
}
