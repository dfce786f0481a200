package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"strings"
)

// handshakeHints say what to do about errors of handshakes, by a part of their
// text: crypto/tls has no other names for most of them.
var handshakeHints = []struct{ part, hint string }{
	{"unsupported versions", "the client speaks only versions of TLS older than --tls-min: renew its software, or its configuration"},
	{"no cipher suite supported", "the client knows no suite with ECDHE and AES-GCM or ChaCha20 (RFC 9662): renew its software, or its configuration"},
	{"remote error: tls: unknown certificate authority", trustHint},
	{"remote error: tls: bad certificate", trustHint},
	{"remote error: tls: unknown certificate", trustHint},
	{"remote error: tls: certificate unknown", trustHint},
	{"remote error: tls: expired certificate", "the client takes our certificate for expired: renew --cert, and look at the clocks"},
	{"remote error: tls: protocol version", "the client refuses our versions of TLS, see --tls-min"},
}

const trustHint = "the client does not trust our certificate: give it the fingerprint (kinesyslog cert) or the authority of --cert, and its name"

// handshakeHint says what to do about the error of a handshake.
func handshakeHint(err error) string {
	if _, is := errors.AsType[tls.RecordHeaderError](err); is {
		return "the client does not speak TLS: switch TLS on there, or let it send to a port of --tcp-port"
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "the client did not go on with the handshake: see that it speaks TLS, and that nothing between drops packets"
	}
	for _, h := range handshakeHints {
		if strings.Contains(err.Error(), h.part) {
			return h.hint
		}
	}
	return "look at the client's log"
}
