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
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/relp"
)

// DurableAppender is an Appender that tells when messages are on disk, for
// senders who want to know. What it does not commit is booked nowhere: the
// sender has it, and sends it again.
type DurableAppender interface {
	Appender
	// Sync returns nil once all that was committed before the call is on disk:
	// it survives a power cut. Calls that come together share the work. It may
	// be called while another goroutine uses Add and Commit. After an error it
	// may be called again, and after one of a failing disk that is worth it.
	Sync(ctx context.Context) error
}

// DurableJournal gives each reader its own DurableAppender. NewDurableAppender
// may be called at any time from any goroutine.
type DurableJournal interface {
	NewDurableAppender() DurableAppender
}

// RELPOptions say what a RELP listener does. Journal, Ledger and Logger are
// required.
type RELPOptions struct {
	// Address, Port and Listener are those of TCPOptions.
	Address  string
	Port     int
	Listener net.Listener
	// TLS makes it RELP over TLS. Older versions than 1.2 are refused whatever
	// the configuration says.
	TLS *tls.Config

	NameByCertificate, NameByEndpoint bool // as in TCPOptions
	// BindHostname is as in TCPOptions. A message that is refused is answered
	// with 500, and ends its session.
	BindHostname access.Binding

	MaxMessage int                   // bytes; 0: DefaultMaxMessage
	Limits     *Limits               // nil: none
	Window     int                   // messages of a connection that may wait for their answer; 0: relp.DefaultWindow
	Allow      func(netip.Addr) bool // who may connect; nil: everybody
	Proxy      Proxy                 // whose PROXY protocol headers are believed
	Handshake  time.Duration         // 0: DefaultHandshake
	Idle       time.Duration         // connections that are silent for so long are closed; 0: none are
	Drain      time.Duration         // 0: DefaultDrain

	Journal    DurableJournal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// RELP takes syslog messages over RELP, and answers each once it is on disk. At
// shutdown it reads no more, answers what it has read, and tells its clients:
// what they had on the way they send elsewhere, or again.
type RELP struct {
	*server
	opts    RELPOptions
	sources *sources
	told    *relpMetrics

	misunderstood, refusedByJournal, refusedByDisk *sampled
}

// NewRELP binds the address, so that connections are held by the kernel until
// Run takes them. Close it if Run is not called.
func NewRELP(opts RELPOptions) (*RELP, error) {
	r := &RELP{opts: opts}
	var err error
	if r.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	kind := "relp"
	if opts.TLS != nil {
		kind = "relps"
	}
	r.server, err = newServer(serverOptions{
		kind: kind, address: opts.Address, port: opts.Port, listener: opts.Listener, tls: opts.TLS,
		limits: opts.Limits, idle: opts.Idle, naming: naming{opts.NameByCertificate, opts.NameByEndpoint}, binding: opts.BindHostname, allow: opts.Allow, proxy: opts.Proxy, handshake: opts.Handshake, drain: opts.Drain,
		ledger: opts.Ledger, logger: opts.Logger, registerer: opts.Registerer,
	})
	if err != nil {
		return nil, err
	}
	if r.told, err = newRELPMetrics(opts.Registerer, r.name); err != nil {
		r.Close()
		return nil, err
	}
	r.sources = newSources(r.name, formatSyslog, r.port)
	r.misunderstood = newSampled(r.log, "RELP session ended by an error in the protocol")
	r.refusedByJournal = newSampled(r.log, "connection closed because the journal did not take messages; their sender sends them again")
	r.refusedByDisk = newSampled(r.log, "messages are not acknowledged yet because the disk did not take them; they are tried elsewhere on it")
	r.speak = func(ctx context.Context, conn net.Conn, stopping func() bool, from client) error {
		s := r.session(conn, stopping, from)
		defer s.release()
		return s.run(ctx)
	}
	return r, nil
}

func (r *RELP) session(conn net.Conn, stopping func() bool, from client) *relpSession {
	return &relpSession{
		reader:   r.newReader(conn, stopping, from.sender, r.opts.MaxMessage),
		listener: r,
		sender:   from.sender,
		source:   r.sources.get(from.sender).Named(from.stream),
		claims:   from.claims,
		appender: r.opts.Journal.NewDurableAppender(),
		protocol: relp.NewSession(relp.Config{MaxData: r.opts.MaxMessage, Window: r.opts.Window, Software: "kinesyslog"}),
		news:     make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
	}
}
