package listen

import (
	"crypto/x509"
	"log/slog"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
	"kinesyslog/internal/ledger"
)

// dropHostname is why a message was dropped whose host name the certificate of
// its client does not bear.
const dropHostname = "hostname"

// hostnames are those that messages of one listener name, as far as somebody
// asks whether they may: nil if nobody does.
type hostnames struct {
	listener string
	refuse   bool // or else they are noted
	ledger   *ledger.Ledger
	foreign  prometheus.Counter
	log      *sampled
}

// newHostnames returns nil if host names are not bound.
func newHostnames(binding access.Binding, listener string, books *ledger.Ledger, log *slog.Logger, reg prometheus.Registerer) (*hostnames, error) {
	if binding == access.Unbound {
		return nil, nil
	}
	r := newRegistrar(reg, listener)
	return &hostnames{
		listener: listener, refuse: binding == access.RefuseHostname, ledger: books,
		foreign: r.counter("foreign_hostnames_total", "Messages that name a host which their client's certificate does not bear.", nil),
		log:     newSampled(log, "messages name a host that their client's certificate does not bear: put the name into the certificate, mend it at the sender, or choose another --bind-hostname"),
	}, r.err(listener)
}

// of begins a connection of a client with a certificate, or nil for one without.
func (h *hostnames) of(c *x509.Certificate, sender netip.Addr) *claims {
	if h == nil {
		return nil
	}
	claims := &claims{hostnames: h, sender: sender, note: noteWithout}
	if c != nil {
		claims.identity = access.NewIdentity(c)
		name := certificateName(c)
		if name == "" {
			name = claims.identity.Fingerprint
		}
		claims.note = noteOf + atMost(name, maxNotedName)
	}
	return claims
}

// tell counts, books and logs messages whose host names are not borne.
func (h *hostnames) tell(c *claims, disputed tally) {
	h.foreign.Add(float64(disputed.messages))
	what := "delivered, with a note in the log stream's name"
	if h.refuse {
		what = "refused"
		h.ledger.Drop(h.listener, dropHostname, disputed.messages, disputed.bytes)
	}
	subject, fingerprint := "no certificate", ""
	if c.identity != nil {
		subject, fingerprint = c.identity.Subject, c.identity.Fingerprint
	}
	h.log.warn(slog.Any("sender", c.sender), slog.String("subject", subject), slog.String("fingerprint", fingerprint),
		slog.String("hostname", string(c.claimed)), slog.String("messages", what))
}
