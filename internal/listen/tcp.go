package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
	"kinesyslog/internal/syslog"
)

// DefaultHandshake bounds a TLS handshake where TCPOptions leave it open.
const DefaultHandshake = 10 * time.Second

// TCPOptions say what a TCP listener does. Journal, Ledger and Logger are
// required.
type TCPOptions struct {
	// Address is an IP address or a host name; "" and "0.0.0.0" are all of
	// IPv4, "::" is all of IPv6 and IPv4.
	Address string
	// Port 0 takes any that is free; Addr tells which.
	Port int
	// Listener is a socket that is open already, in place of Address and Port.
	// The TCP owns it then.
	Listener net.Listener
	// TLS makes it an RFC 5425 listener. Older versions than 1.2 are refused
	// whatever the configuration says.
	TLS *tls.Config

	Format         string                // middle part of the log group, "syslog" if empty
	MaxMessage     int                   // bytes; 0: DefaultMaxMessage
	MaxConnections int                   // more are closed at once; 0: no limit
	Allow          func(netip.Addr) bool // who may connect; nil: everybody
	Handshake      time.Duration         // 0: DefaultHandshake
	Drain          time.Duration         // 0: DefaultDrain

	Journal    Journal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// TCP takes messages over TCP (RFC 6587) or TLS (RFC 5425).
type TCP struct {
	opts    TCPOptions
	tls     *tls.Config
	name    string
	ln      net.Listener
	sources *sources
	metrics *metrics
	conns   connections
	log     *slog.Logger

	acceptFailed, refused, handshakeFailed, lost *sampled
}

// NewTCP binds the address, so that connections are held by the kernel until
// Run takes them. Close it if Run is not called.
func NewTCP(opts TCPOptions) (*TCP, error) {
	t := &TCP{opts: opts, conns: connections{limit: opts.MaxConnections}}
	var err error
	if t.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	if t.opts.Format == "" {
		t.opts.Format = "syslog"
	}
	if t.opts.Handshake == 0 {
		t.opts.Handshake = DefaultHandshake
	}
	if t.opts.Drain == 0 {
		t.opts.Drain = DefaultDrain
	}
	kind := "tcp"
	if opts.TLS != nil {
		kind = "tls"
		if t.tls, err = serverTLS(opts.TLS); err != nil {
			return nil, err
		}
	}
	t.ln = opts.Listener
	if t.ln == nil {
		if t.ln, err = bindTCP(kind, opts.Address, opts.Port); err != nil {
			return nil, err
		}
	}
	addr, ok := t.ln.Addr().(*net.TCPAddr)
	if !ok {
		t.ln.Close()
		return nil, fmt.Errorf("take over the socket %s: it is not a TCP socket", t.ln.Addr())
	}
	port := strconv.Itoa(addr.Port)
	t.name = kind + "/" + port
	if t.metrics, err = newTCPMetrics(opts.Registerer, t.name); err != nil {
		t.ln.Close()
		return nil, err
	}
	t.sources = newSources(t.name, t.opts.Format, port)
	t.log = opts.Logger.With("listener", t.name)
	t.acceptFailed = newSampled(t.log, "connection could not be accepted, trying again (if it is for too many open files, raise LimitNOFILE)")
	t.refused = newSampled(t.log, "connection refused")
	t.handshakeFailed = newSampled(t.log, "TLS handshake failed")
	t.lost = newSampled(t.log, "messages dropped because the journal did not take them")
	opts.Ledger.Open(t.name)
	return t, nil
}

func serverTLS(config *tls.Config) (*tls.Config, error) {
	if len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
		return nil, errors.New("TLS listener has no certificate")
	}
	config = config.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return config, nil
}

// Name is the listener's name in metrics and in the ledger: "tcp/514" or
// "tls/6514".
func (t *TCP) Name() string { return t.name }

// Addr is the address that is bound.
func (t *TCP) Addr() net.Addr { return t.ln.Addr() }

// Close gives the address up without Run.
func (t *TCP) Close() error { return t.ln.Close() }

// Run serves connections until ctx is done. Then it closes the socket that
// listens, reads what connections have on the way, for Options.Drain at most,
// and returns when all of it is in the journal and all connections are closed.
func (t *TCP) Run(ctx context.Context) error {
	serving, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	stop := context.AfterFunc(ctx, func() { t.ln.Close() })
	defer stop()
	t.accept(ctx, serving)
	t.conns.drain(t.opts.Drain, giveUp)
	return nil
}

// accept takes connections until the socket is closed. No other error ends it:
// it waits a little, and tries again.
func (t *TCP) accept(ctx, serving context.Context) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		conn, err := t.ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			t.metrics.acceptErrors.Inc()
			t.acceptFailed.warn(slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longest)
			continue
		}
		pause = shortest
		t.metrics.accepted.Inc()
		if !t.conns.serve(conn, func(cn *connection) { t.serve(serving, cn) }) {
			if ctx.Err() == nil {
				t.metrics.refusedLimit.Inc()
				t.refused.warn(slog.String("sender", conn.RemoteAddr().String()), slog.String("reason", "too many connections"))
			}
			conn.Close()
		}
	}
}

// serve handles one connection from its first byte to its last.
func (t *TCP) serve(ctx context.Context, cn *connection) {
	t.metrics.connections.Inc()
	defer t.metrics.connections.Dec()
	sender, err := senderOf(cn.RemoteAddr())
	if err != nil || t.opts.Allow != nil && !t.opts.Allow(sender) {
		t.metrics.refusedSender.Inc()
		t.refused.warn(slog.String("sender", cn.RemoteAddr().String()), slog.String("reason", "sender not allowed"))
		return
	}
	if tcp, ok := cn.Conn.(*net.TCPConn); ok {
		// A sender that is gone without a word is found within two minutes. This
		// fails only for a closed connection.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4})
	}
	conn := cn.Conn
	if t.tls != nil {
		secure := tls.Server(cn.Conn, t.tls)
		if err := t.handshake(ctx, secure); err != nil {
			if !cn.draining.Load() && !errors.Is(err, io.EOF) { // one that closes without a word is a health check
				t.metrics.handshakesFailed.Inc()
				t.handshakeFailed.warn(slog.String("sender", sender.String()), slog.Any("error", err))
			}
			return
		}
		conn = secure
	}
	err = t.stream(conn, cn.draining.Load, sender).run(ctx)
	t.log.Debug("connection closed", "sender", sender, "error", err)
}

func (t *TCP) handshake(ctx context.Context, conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Handshake)
	defer cancel()
	return conn.HandshakeContext(ctx)
}

func (t *TCP) stream(conn net.Conn, stopping func() bool, sender netip.Addr) *stream {
	return &stream{
		conn:     conn,
		stopping: stopping,
		source:   t.sources.get(sender),
		framer:   syslog.NewFramer(t.opts.MaxMessage),
		appender: t.opts.Journal.NewAppender(),
		buf:      newBuffer(t.opts.MaxMessage + 64),
		onCut:    t.metrics.cut.Inc,
		onLost: func(cause error) {
			t.lost.warn(slog.String("sender", sender.String()), slog.Any("error", cause))
		},
	}
}
