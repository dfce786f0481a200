package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
	"kinesyslog/internal/ledger"
)

// DefaultHandshake bounds a TLS handshake where options leave it open.
const DefaultHandshake = 10 * time.Second

// server accepts the connections of a listener, looks who may speak, shakes
// hands where there is TLS, and leaves the rest to a protocol.
type server struct {
	serverOptions
	name       string
	port       string
	conns      connections
	metrics    *metrics
	log        *slog.Logger
	handshakes *handshakes // nil without TLS
	hostnames  *hostnames  // nil if they are not bound
	// speak takes the messages of one connection until it ends, and tells why.
	// stopping reports whether the listener shuts down; when it begins to, a
	// Read that blocks is woken up. ctx is done when no time is left.
	speak func(ctx context.Context, conn net.Conn, stopping func() bool, from client) error

	acceptFailed, refused, refusedProxy, closed, slowed *sampled
}

// serverOptions are what listeners with connections have in common. They are
// explained where they are given: see TCPOptions.
type serverOptions struct {
	kind       string // first part of the name
	address    string
	port       int
	listener   net.Listener
	tls        *tls.Config
	limits     *Limits
	allow      func(netip.Addr) bool
	proxy      Proxy
	handshake  time.Duration
	idle       time.Duration
	drain      time.Duration
	naming     naming
	binding    access.Binding // without effect if there is no TLS
	ledger     *ledger.Ledger
	logger     *slog.Logger
	registerer prometheus.Registerer
}

// client is who speaks on a connection.
type client struct {
	sender netip.Addr // canonical
	stream string     // what its log streams are called; empty: after the sender
	claims *claims    // what the host names of its messages are held against; nil: nothing
}

// newServer binds. The caller sets speak before Run.
func newServer(o serverOptions) (_ *server, err error) {
	if o.handshake == 0 {
		o.handshake = DefaultHandshake
	}
	if o.drain == 0 {
		o.drain = DefaultDrain
	}
	if o.tls != nil {
		if o.tls, err = serverTLS(o.tls); err != nil {
			return nil, err
		}
	}
	if o.listener == nil {
		if o.listener, err = bindTCP(o.kind, o.address, o.port); err != nil {
			return nil, err
		}
	}
	s := &server{serverOptions: o, conns: connections{limits: o.limits}}
	if addr, ok := o.listener.Addr().(*net.TCPAddr); ok {
		s.port = strconv.Itoa(addr.Port)
		s.name = o.kind + "/" + s.port
	} else if o.kind == kindUnix {
		s.port = kindUnix
		s.name = kindUnix + ":" + o.listener.Addr().String()
	} else {
		o.listener.Close()
		return nil, fmt.Errorf("take over the socket %s: it is not a TCP socket", o.listener.Addr())
	}
	if s.metrics, err = newTCPMetrics(o.registerer, s.name); err != nil {
		o.listener.Close()
		return nil, err
	}
	s.log = o.logger.With("listener", s.name)
	s.metrics.tellCuts(s.log)
	s.acceptFailed = newSampled(s.log, "connection could not be accepted, trying again (if it is for too many open files, raise LimitNOFILE)")
	s.refused = newSampled(s.log, "connection refused")
	s.refusedProxy = newSampled(s.log, "connection refused: a peer whose PROXY protocol header is believed must begin with one (switch it on at the peer, or take the peer out of --proxy-trust)")
	s.closed = newSampled(s.log, "connection closed")
	s.slowed = newSampled(s.log, "sender is slowed down: it sends more messages a second than --rate-limit: raise it, or look at the sender")
	if o.tls != nil {
		if s.handshakes, err = newHandshakes(&s.serverOptions, s.metrics, s.log, s.name); err != nil {
			o.listener.Close()
			return nil, err
		}
		if s.hostnames, err = newHostnames(o.binding, s.name, o.ledger, s.log, o.registerer); err != nil {
			o.listener.Close()
			return nil, err
		}
	}
	o.ledger.Open(s.name)
	return s, nil
}

// Name is the listener's name in metrics and in the ledger: "tcp/514",
// "tls/6514", "relp/2514", "relps/2515" or "unix:/dev/log".
func (s *server) Name() string { return s.name }

// Addr is the address that is bound.
func (s *server) Addr() net.Addr { return s.listener.Addr() }

// Close gives the address up without Run.
func (s *server) Close() error { return s.listener.Close() }

// Run serves connections until ctx is done. Then it closes the socket that
// listens, lets connections come to an end, for Options.Drain at most, and
// returns when what was taken from them is in the journal and all are closed.
func (s *server) Run(ctx context.Context) error {
	serving, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	stop := context.AfterFunc(ctx, func() { s.listener.Close() })
	defer stop()
	s.accept(ctx, serving)
	s.conns.drain(s.drain, giveUp)
	return nil
}

// accept takes connections until the socket is closed. No other error ends it:
// it waits a little, and tries again.
func (s *server) accept(ctx, serving context.Context) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.metrics.acceptErrors.Inc()
			s.acceptFailed.warn(slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longest)
			continue
		}
		pause = shortest
		s.metrics.accepted.Inc()
		if !s.conns.serve(conn, func(cn *connection) { s.serve(serving, cn) }) {
			if ctx.Err() == nil {
				s.metrics.refusedLimit.Inc()
				s.refused.warn(slog.String("sender", conn.RemoteAddr().String()), slog.String("reason", "too many connections: raise --max-connections"))
			}
			conn.Close()
		}
	}
}

// serve handles one connection from its first byte to its last.
func (s *server) serve(ctx context.Context, cn *connection) {
	s.metrics.connections.Inc()
	defer s.metrics.connections.Dec()
	sender, conn, ok := s.admit(cn)
	if !ok {
		return
	}
	if !s.limits.connectFrom(sender) {
		s.metrics.refusedAddress.Inc()
		s.refused.warn(slog.String("sender", sender.String()), slog.String("reason", "too many connections of this sender: raise --max-connections-per-address"))
		return
	}
	defer s.limits.disconnectFrom(sender)
	if tcp, ok := cn.Conn.(*net.TCPConn); ok {
		// A sender that is gone without a word is found within two minutes. This
		// fails only for a closed connection.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4})
	}
	if s.tls != nil {
		secure, ok := s.handshakes.shake(ctx, conn, sender, cn.draining.Load)
		if !ok {
			return
		}
		conn = secure
	}
	s.limits.pace(ctx, sender, 0, cn.draining.Load) // whoever connects again for each message gains nothing
	certificate := peerCertificate(conn)
	err := s.speak(ctx, conn, cn.draining.Load, client{
		sender: sender, stream: s.naming.stream(certificate, cn.via, sender), claims: s.hostnames.of(certificate, sender),
	})
	s.closedBy(err, sender)
	s.log.Debug("connection closed", "sender", sender, "error", err)
}

// closedBy counts and logs a connection that a limit has ended.
func (s *server) closedBy(err error, sender netip.Addr) {
	switch {
	case errors.Is(err, errIdle):
		s.metrics.closedIdle.Inc()
	case errors.Is(err, errNoMemory):
		s.metrics.closedMemory.Inc()
	default:
		return
	}
	s.closed.warn(slog.String("sender", sender.String()), slog.Any("error", err))
}

// newReader returns what reads a connection of a sender within the limits.
// Release it at the end.
func (s *server) newReader(conn net.Conn, stopping func() bool, sender netip.Addr, maxMessage int) reader {
	buf := newBuffer(maxMessage + 64)
	buf.limits = s.limits
	return reader{
		conn: conn, stopping: stopping, buf: buf, idle: s.idle, heard: time.Now(),
		pace: func(ctx context.Context, messages int) {
			if s.limits.pace(ctx, sender, messages, stopping) {
				s.metrics.slowed.Inc()
				s.slowed.warn(slog.String("sender", sender.String()))
			}
		},
	}
}
