package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/access"
	"kinesyslog/internal/ledger"
)

const (
	// DefaultDTLSIdle is how long a session may be silent where options leave it
	// open. It is not for ever: over UDP nothing tells of a sender that is gone.
	DefaultDTLSIdle = 5 * time.Minute
	// maxDTLSDatagram is the longest that the library reads.
	maxDTLSDatagram = 8192
)

// The reasons for which datagrams of DTLS are booked as dropped, beside those
// of package listen's other listeners.
const (
	dropQueue   = "queue"    // of a session that is slower than its sender
	dropTooLong = "too_long" // longer than maxDTLSDatagram
)

var (
	errFull        = errors.New("too many connections: raise --max-connections")
	errFullAddress = errors.New("too many connections of this sender: raise --max-connections-per-address")
)

// DTLSOptions say what a DTLS listener does. Access, Journal, Ledger and Logger
// are required.
type DTLSOptions struct {
	// Address is an IP address or a host name; "" and "0.0.0.0" are all of
	// IPv4, "::" is all of IPv6 and IPv4.
	Address string
	// Port 0 takes any that is free; Addr tells which.
	Port int
	// File is a socket that is open already, in place of Address and Port. It
	// is duplicated and closed.
	File *os.File
	// Access is asked with each handshake which certificates to show, and whom
	// to let in. Called from many goroutines.
	Access func() access.Handshake

	// Format is as for TCP. A record holds one or more messages as on a TLS
	// connection, or one as in a datagram of UDP; none goes on in the next.
	Format string
	// NameByCertificate and BindHostname are as in TCPOptions.
	NameByCertificate bool
	BindHostname      access.Binding

	MaxMessage int                   // bytes; 0: DefaultMaxMessage
	Limits     *Limits               // nil: none
	Allow      func(netip.Addr) bool // who may send; nil: everybody
	Handshake  time.Duration         // 0: DefaultHandshake
	Idle       time.Duration         // sessions that are silent for so long are closed; 0: DefaultDTLSIdle
	Drain      time.Duration         // 0: DefaultDrain

	Journal    Journal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// DTLS takes messages over DTLS 1.2 (RFC 6012). Whoever is not known has to
// give a cookie back first, and takes no place until then. As with UDP nothing
// holds a sender back: what the journal has no room for is dropped and counted.
type DTLS struct {
	opts       DTLSOptions
	name       string
	conn       *net.UDPConn
	socket     socket // the same, for what the kernel tells of it
	peers      *dtlsPeers
	sources    *sources // of messages in the listener's format
	gelf       *sources
	metrics    *metrics
	recognised prometheus.Counter
	handshakes *handshakes
	hostnames  *hostnames // nil if they are not bound
	log        *slog.Logger

	refusedSender, refused, closed, fast, overrun, lost, failed, dropped, strange *sampled
}

// NewDTLS binds the address. Close it if Run is not called.
func NewDTLS(opts DTLSOptions) (*DTLS, error) {
	d := &DTLS{opts: opts, peers: newDTLSPeers()}
	var err error
	if d.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	if d.opts.Format == "" {
		d.opts.Format = formatSyslog
	}
	d.opts.Handshake = orElse(opts.Handshake, DefaultHandshake)
	d.opts.Idle = orElse(opts.Idle, DefaultDTLSIdle)
	d.opts.Drain = orElse(opts.Drain, DefaultDrain)
	if d.conn, err = bindDTLS(opts); err != nil {
		return nil, err
	}
	if err := d.prepare(); err != nil {
		d.Close()
		return nil, err
	}
	opts.Ledger.Open(d.name)
	return d, nil
}

func orElse(d, unset time.Duration) time.Duration {
	if d == 0 {
		return unset
	}
	return d
}

func bindDTLS(opts DTLSOptions) (*net.UDPConn, error) {
	if opts.File != nil {
		conn, err := net.FilePacketConn(opts.File)
		err = errors.Join(err, opts.File.Close())
		udp, ok := conn.(*net.UDPConn)
		if err == nil && !ok {
			err = errors.New("not a UDP socket")
		}
		if err != nil {
			return nil, fmt.Errorf("take over the dtls socket %s: %w", opts.File.Name(), err)
		}
		return udp, nil
	}
	addr, err := resolve(opts.Address, opts.Port)
	if err != nil {
		return nil, fmt.Errorf("listen on dtls: %w", err)
	}
	network := "udp" // with "::" that is both families
	if addr.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, bindError("dtls", addr, err)
	}
	return conn, nil
}

// prepare makes what goes with the socket.
func (d *DTLS) prepare() (err error) {
	port := strconv.Itoa(d.conn.LocalAddr().(*net.UDPAddr).Port)
	d.name = "dtls/" + port
	if d.metrics, err = newDTLSMetrics(d.opts.Registerer, d.name); err != nil {
		return err
	}
	d.log = d.opts.Logger.With("listener", d.name)
	d.metrics.tellCuts(d.log)
	d.metrics.unproven = told{d.metrics.unproven, newSampled(d.log, "DTLS handshake not begun: the sender did not give our cookie back, so that its address may be forged; if it is not, see that our answers reach it")}
	o := &serverOptions{handshake: d.opts.Handshake, registerer: d.opts.Registerer}
	if d.handshakes, err = newHandshakes(o, d.metrics, d.log, d.name); err != nil {
		return err
	}
	if d.hostnames, err = newHostnames(d.opts.BindHostname, d.name, d.opts.Ledger, d.log, d.opts.Registerer); err != nil {
		return err
	}
	d.sources = newSources(d.name, d.opts.Format, port)
	if d.opts.Format != formatGELF {
		d.gelf = newSources(d.name, formatGELF, port)
		m, err := newGELFMetrics(d.opts.Registerer, d.name, false)
		if err != nil {
			return err
		}
		d.recognised = m.recognised
	}
	d.refusedSender = newSampled(d.log, "datagram refused: its sender is in no network of --allow")
	d.refused = newSampled(d.log, "session refused")
	d.closed = newSampled(d.log, "session closed")
	d.fast = newSampled(d.log, "messages dropped: their sender sends more a second than --rate-limit: raise it, or look at the sender")
	d.overrun = newSampled(d.log, overrunText)
	d.strange = newSampled(d.log, "datagram ignored: it belongs to no session, which its sender must begin again (restart the sender; sessions end after --idle-timeout, 5 minutes if that is 0)")
	d.lost = newSampled(d.log, "messages dropped because the journal did not take them")
	d.failed = newSampled(d.log, "datagrams could not be read, trying again")
	d.dropped = newSampled(d.log, "datagram dropped: it is too long (8,192 bytes are possible), or too many of its sender wait: let it send less at once, or use TLS")
	d.withSocket(func(s *socket) {
		s.raiseBuffer(DefaultReceiveBuffer)
		s.drops, _ = s.kernelDrops() // those before are not ours
	})
	return nil
}

// Name is the listener's name in metrics and in the ledger: "dtls/6514".
func (d *DTLS) Name() string { return d.name }

// Addr is the address that is bound.
func (d *DTLS) Addr() net.Addr { return d.conn.LocalAddr() }

// Close gives the address up without Run.
func (d *DTLS) Close() error { return d.conn.Close() }

// Run takes messages until ctx is done. Then it begins no new session, reads
// what is on its way, for Options.Drain at most, tells the peers that their
// sessions end, and returns.
func (d *DTLS) Run(ctx context.Context) error {
	serving, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	read := make(chan struct{})
	go func() {
		defer close(read)
		d.receive(serving)
	}()
	<-ctx.Done()
	d.peers.drain(d.opts.Drain, giveUp)
	err := d.conn.Close()
	<-read
	return err
}
