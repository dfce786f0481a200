package listen

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
	"kinesyslog/internal/ledger"
)

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
	local    string // the sender's name if Listener is a Unix socket
	// TLS makes it an RFC 5425 listener. Older versions than 1.2 are refused
	// whatever the configuration says.
	TLS *tls.Config

	// Format is the middle part of the log group: "syslog", also if empty, or
	// "gelf". With "gelf" every message is taken as GELF and ends in NUL; else
	// it is told apart.
	Format string
	// NameByCertificate names log streams of clients with a certificate after
	// that, in place of their address.
	NameByCertificate bool
	// NameByEndpoint puts the id of a VPC endpoint in front of the address of
	// clients that came through one, as far as Proxy.Trust trusts who says so.
	NameByEndpoint bool
	// BindHostname says what becomes of messages that name a host which the
	// client's certificate does not bear. It has no effect without TLS.
	BindHostname access.Binding
	MaxMessage   int                   // bytes; 0: DefaultMaxMessage
	Limits       *Limits               // nil: none
	Allow        func(netip.Addr) bool // who may connect; nil: everybody
	Proxy        Proxy                 // whose PROXY protocol headers are believed
	Handshake    time.Duration         // 0: DefaultHandshake
	Idle         time.Duration         // connections that are silent for so long are closed; 0: none are
	Drain        time.Duration         // 0: DefaultDrain

	Journal    Journal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// TCP takes messages over TCP (RFC 6587) or TLS (RFC 5425), and GELF. At
// shutdown it reads what connections have on the way.
type TCP struct {
	*server
	opts        TCPOptions
	sources     *sources     // of messages in the listener's format
	gelfSources *sources     // nil where that is GELF
	gelfMetrics *gelfMetrics // likewise
	lost        *sampled
	lender      *lender
}

// NewTCP binds the address, so that connections are held by the kernel until
// Run takes them. Close it if Run is not called.
func NewTCP(opts TCPOptions) (*TCP, error) {
	t := &TCP{opts: opts}
	var err error
	if t.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	if t.opts.Format == "" {
		t.opts.Format = formatSyslog
	}
	kind := "tcp"
	if opts.TLS != nil {
		kind = "tls"
	}
	if opts.local != "" {
		kind = kindUnix
	}
	t.server, err = newServer(serverOptions{
		kind: kind, address: opts.Address, port: opts.Port, listener: opts.Listener, tls: opts.TLS,
		limits: opts.Limits, idle: opts.Idle, naming: naming{opts.NameByCertificate, opts.NameByEndpoint}, binding: opts.BindHostname, allow: opts.Allow, proxy: opts.Proxy, handshake: opts.Handshake, drain: opts.Drain,
		ledger: opts.Ledger, logger: opts.Logger, registerer: opts.Registerer,
	})
	if err != nil {
		return nil, err
	}
	t.sources = newSources(t.name, t.opts.Format, t.port)
	t.sources.local = opts.local
	if t.opts.Format != formatGELF {
		t.gelfSources = newSources(t.name, formatGELF, t.port)
		t.gelfSources.local = opts.local
		if t.gelfMetrics, err = newGELFMetrics(opts.Registerer, t.name, false); err != nil {
			t.Close()
			return nil, err
		}
	}
	t.lender = newLender(t.opts.MaxMessage + 64)
	t.lost = newSampled(t.log, "messages dropped because the journal did not take them")
	t.speak = func(ctx context.Context, conn net.Conn, stopping func() bool, from client) error {
		s := t.stream(conn, stopping, from)
		defer s.release()
		return s.run(ctx)
	}
	return t, nil
}

func (t *TCP) stream(conn net.Conn, stopping func() bool, from client) *stream {
	s := &stream{
		reader:   t.newReader(conn, stopping, from.sender, t.opts.MaxMessage),
		source:   t.sources.get(from.sender).Named(from.stream),
		claims:   from.claims,
		appender: t.opts.Journal.NewAppender(),
		onCut:    t.metrics.cut.Inc,
		onLost: func(cause error) {
			t.lost.warn(slog.String("sender", from.sender.String()), slog.Any("error", cause))
		},
	}
	s.lingers = s.borrowing(t.lender)
	if t.opts.Format == formatGELF {
		s.framer = gelf.NewNULFramer(t.opts.MaxMessage)
		return s
	}
	s.framer = newMixedFramer(t.opts.MaxMessage)
	s.asGELF = func() *event.Source { return t.gelfSources.get(from.sender).Named(from.stream) }
	s.onRecognised = t.gelfMetrics.recognised.Inc
	return s
}
