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
	"golang.org/x/sync/errgroup"

	"kinesyslog/internal/ledger"
)

// DefaultReceiveBuffer is what is asked of the kernel for each socket where
// UDPOptions leave it open. The kernel sets aside twice as much, and counts a
// datagram of 256 bytes as 1,280: so it holds 26,000 of them, and nobody needs
// to read for 170 ms at 150,000 a second.
const DefaultReceiveBuffer = 16 << 20

// overrunText is for the log when the kernel has dropped datagrams.
const overrunText = "datagrams dropped by the kernel because the receive buffer was full: raise it (sysctl net.core.rmem_max), or let those who send much use TCP"

// UDPOptions say what a UDP listener does. Journal, Ledger and Logger are
// required.
type UDPOptions struct {
	// Address is an IP address or a host name; "" and "0.0.0.0" are all of
	// IPv4, "::" is all of IPv6 and IPv4.
	Address string
	// Port 0 takes any that is free; Addr tells which.
	Port int
	// File is a socket that is open already, in place of Address and Port. It
	// is duplicated and closed.
	File *os.File
	// Sockets share the port by SO_REUSEPORT, each with a goroutine of its own:
	// the kernel spreads senders over them, and leaves each with one, so that its
	// messages stay in order. 0: one. A File is one.
	Sockets int
	// Readers is how many sockets all UDP listeners of the process have together.
	// Each reader keeps a processor to itself while it lets datagrams gather, if
	// enough are left. 0: there is no other listener.
	Readers int
	// ReceiveBuffer is how many bytes each socket should hold while nobody
	// reads. 0: DefaultReceiveBuffer.
	ReceiveBuffer int

	// Format is the middle part of the log group: "syslog", also if empty, or
	// "gelf". With "gelf" every datagram is taken as GELF; else it is told apart.
	Format     string
	MaxMessage int                   // bytes; 0: DefaultMaxMessage
	Allow      func(netip.Addr) bool // who may send; nil: everybody. Called from all sockets at once
	Proxy      Proxy                 // whose PROXY protocol headers (version 2) are believed
	Limits     *Limits               // of the rate; nil: none
	Drain      time.Duration         // 0: DefaultDrain

	NameByEndpoint bool // as in TCPOptions

	Journal    Journal
	Ledger     *ledger.Ledger
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// UDP takes messages over UDP (RFC 5426): one datagram is one message, or with
// GELF a part of one.
type UDP struct {
	opts        UDPOptions
	name        string
	addr        netip.AddrPort
	sockets     []*socket
	sources     *sources // of messages in the listener's format
	gelfSources *sources
	metrics     *metrics
	gelfMetrics *gelfMetrics

	refused, refusedProxy, fast, overrun, lost, failed, undecoded, incomplete *sampled
}

// NewUDP binds the address, so that datagrams are held by the kernel until Run
// takes them. Close it if Run is not called.
func NewUDP(opts UDPOptions) (*UDP, error) {
	u := &UDP{opts: opts}
	var err error
	if u.opts.MaxMessage, err = messageLimit(opts.MaxMessage); err != nil {
		return nil, err
	}
	if u.opts.Format == "" {
		u.opts.Format = formatSyslog
	}
	if u.opts.Drain == 0 {
		u.opts.Drain = DefaultDrain
	}
	if u.opts.ReceiveBuffer == 0 {
		u.opts.ReceiveBuffer = DefaultReceiveBuffer
	}
	if opts.File != nil {
		err = u.adopt(opts.File)
	} else {
		err = u.bind(opts.Address, opts.Port, max(opts.Sockets, 1))
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	port := strconv.Itoa(int(u.addr.Port()))
	u.name = "udp/" + port
	if u.metrics, err = newUDPMetrics(opts.Registerer, u.name); err != nil {
		u.Close()
		return nil, err
	}
	if u.gelfMetrics, err = newGELFMetrics(opts.Registerer, u.name, true); err != nil {
		u.Close()
		return nil, err
	}
	u.sources = newSources(u.name, u.opts.Format, port)
	u.gelfSources = u.sources
	if u.opts.Format != formatGELF {
		u.gelfSources = newSources(u.name, formatGELF, port)
	}
	log := opts.Logger.With("listener", u.name)
	u.metrics.tellCuts(log)
	u.refused = newSampled(log, "datagram refused: its sender is in no network of --allow")
	u.refusedProxy = newSampled(log, "datagram dropped: its PROXY protocol header is damaged (look at the peer, or take it out of --proxy-trust)")
	u.fast = newSampled(log, "datagrams dropped: their sender sends more messages a second than --rate-limit: raise it, or look at the sender")
	u.overrun = newSampled(log, overrunText)
	u.lost = newSampled(log, "messages dropped because the journal did not take them")
	u.failed = newSampled(log, "datagrams could not be read, trying again")
	u.undecoded = newSampled(log, "datagram begins like GELF and cannot be decoded, it is delivered as it came")
	u.incomplete = newSampled(log, "GELF message dropped, chunks of it are missing or it is too long: let its sender use TCP")
	u.raiseBuffers(log)
	opts.Ledger.Open(u.name)
	return u, nil
}

func (u *UDP) adopt(f *os.File) error {
	s, err := adoptSocket(f)
	if err != nil {
		return fmt.Errorf("take over the udp socket %s: %w", f.Name(), err)
	}
	u.sockets, u.addr = []*socket{s}, s.addr
	return nil
}

// bind opens the sockets. Several can share a port only if they all ask for
// it, and then another process of the same user could join them unseen. So a
// socket that does not share is bound first, to find out whether the port is
// free, and closed again.
func (u *UDP) bind(address string, port, count int) error {
	addr, err := resolve(address, port)
	if err != nil {
		return fmt.Errorf("listen on udp: %w", err)
	}
	first, err := openSocket(addr, false)
	if err != nil {
		return bindError("udp", addr, err)
	}
	u.addr = first.addr
	if count == 1 {
		u.sockets = []*socket{first}
		return nil
	}
	first.close()
	for range count {
		s, err := openSocket(u.addr, true)
		if err != nil {
			return bindError("udp", u.addr, err)
		}
		u.sockets = append(u.sockets, s)
	}
	return nil
}

func (u *UDP) raiseBuffers(log *slog.Logger) {
	want, got, total := u.opts.ReceiveBuffer, 0, 0
	for _, s := range u.sockets {
		s.raiseBuffer(want)
		got = s.bufferSize()
		total += got
	}
	u.metrics.receiveBuffer.Set(float64(total))
	if got < 2*want { // the kernel doubles what is asked for
		log.Warn("receive buffer is smaller than wanted, bursts of datagrams may be lost: raise it with sysctl -w net.core.rmem_max="+strconv.Itoa(want),
			"got_bytes", got/2, "want_bytes", want)
	}
}

// Name is the listener's name in metrics and in the ledger: "udp/514".
func (u *UDP) Name() string { return u.name }

// Addr is the address that is bound.
func (u *UDP) Addr() net.Addr { return net.UDPAddrFromAddrPort(u.addr) }

// Close gives the address up without Run.
func (u *UDP) Close() error {
	var errs []error
	for _, s := range u.sockets {
		errs = append(errs, s.close())
	}
	u.sockets = nil
	return errors.Join(errs...)
}

// Run reads datagrams until ctx is done. Then it reads what the kernel holds by
// then, for Options.Drain at most, closes the sockets and returns. A socket
// that cannot be read any more ends it with an error.
func (u *UDP) Run(ctx context.Context) error {
	defer u.Close()
	b, err := newBell()
	if err != nil {
		return fmt.Errorf("read datagrams of %s: %w", u.name, err)
	}
	defer b.close()
	group, ctx := errgroup.WithContext(ctx)
	rung := make(chan struct{})
	go func() {
		defer close(rung)
		<-ctx.Done()
		b.ring()
	}()
	defer func() { <-rung }() // Wait has ended ctx
	for _, s := range u.sockets {
		group.Go(func() error {
			if err := newReceiver(u, s).run(ctx, b); err != nil {
				return fmt.Errorf("read datagrams of %s: %w", u.name, err)
			}
			return nil
		})
	}
	return group.Wait()
}
