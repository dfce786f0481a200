package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
)

// goodbye is how long, and goodbyeBytes how much, is read from a client that
// was refused. A socket that is closed with something unread resets the
// connection, and the client never sees the alert that says why.
const (
	goodbye      = time.Second
	goodbyeBytes = 1 << 20
)

// handshakes makes the TLS connections of one listener.
type handshakes struct {
	config  *tls.Config
	limit   time.Duration
	failed  prometheus.Counter
	log     *sampled // of those that failed
	refused map[access.Reason]refused
}

// refused are those that a policy refused for the same reason.
type refused struct {
	count prometheus.Counter
	log   *sampled
}

func serverTLS(config *tls.Config) (*tls.Config, error) {
	if len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
		return nil, errors.New("TLS listener has no certificate")
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return config, nil
}

func newHandshakes(o *serverOptions, m *metrics, log *slog.Logger, listener string) (*handshakes, error) {
	h := &handshakes{
		config: o.tls, limit: o.handshake, failed: m.handshakesFailed, refused: map[access.Reason]refused{},
		log: newSampled(log, "TLS handshake failed"),
	}
	r := newRegistrar(o.registerer, listener)
	for _, reason := range access.Reasons() {
		h.refused[reason] = refused{r.refused("certificate_" + string(reason)), newSampled(log, "TLS client refused")}
	}
	return h, r.err(listener)
}

// shake returns the TLS connection over conn, or ok=false if there is none; the
// log and the metrics say why then. stopping tells whether the listener shuts
// down, which is no failure of the client's.
func (h *handshakes) shake(ctx context.Context, conn net.Conn, sender netip.Addr, stopping func() bool) (_ *tls.Conn, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	secure := tls.Server(conn, h.config)
	err := secure.HandshakeContext(ctx)
	if err == nil {
		return secure, true
	}
	if refusal, is := access.AsRefusal(err); is {
		h.refuse(sender, refusal)
		letRead(conn)
	} else if !stopping() && !hungUp(err) { // one that leaves without a word is a health check
		h.failed.Inc()
		h.log.warn(slog.String("sender", sender.String()), slog.Any("error", err), slog.String("hint", handshakeHint(err)))
	}
	return nil, false
}

// refuse counts and logs a client that a policy keeps out.
func (h *handshakes) refuse(sender netip.Addr, refusal *access.Refusal) {
	r := h.refused[refusal.Reason]
	r.count.Inc()
	r.log.warn(slog.String("sender", sender.String()), slog.String("reason", string(refusal.Reason)), slog.Any("error", refusal))
}

// letRead ends a connection so that the client reads the alert that was sent.
func letRead(conn net.Conn) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || conn.SetReadDeadline(time.Now().Add(goodbye)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, conn, goodbyeBytes) // how it ends does not matter
}
