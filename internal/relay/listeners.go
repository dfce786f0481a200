package relay

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"runtime"
	"slices"

	"kinesyslog/internal/config"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/listen"
)

// listener is what package listen makes, with what people are told of it.
type listener struct {
	Runner
	told Listener
}

// Runner is a listener as the relay uses it.
type Runner interface {
	Run(ctx context.Context) error
	Close() error
	Name() string
	Addr() net.Addr
}

// appenders gives listeners what they ask of a journal.
type appenders struct{ *journal.Journal }

// NewAppender implements listen.Journal.
func (a appenders) NewAppender() listen.Appender { return a.Journal.NewAppender() }

// NewDurableAppender implements listen.DurableJournal.
func (a appenders) NewDurableAppender() listen.DurableAppender { return a.Journal.NewDurableAppender() }

// bind opens every socket of the configuration.
func (r *Relay) bind() (err error) {
	if r.limits, err = newLimits(r.cfg, r.registry, r.log); err != nil {
		return err
	}
	if r.inherited, err = inherit(); err != nil {
		return err
	}
	if r.allowed, err = openAllowed(r.cfg, r.registry, r.log); err != nil {
		return err
	}
	for _, port := range r.cfg.UDPPorts {
		l, err := listen.NewUDP(listen.UDPOptions{
			Address: r.cfg.Address, Port: port, File: r.inherited.datagrams(port), Sockets: udpSockets(), Readers: len(r.cfg.UDPPorts) * udpSockets(), Format: r.format(), MaxMessage: r.cfg.MaxMessageBytes,
			NameByEndpoint: r.byEndpoint(), Allow: r.allowed.function("udp", port), Proxy: r.proxy(port), Limits: r.limits,
			Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
		})
		if err != nil {
			return err
		}
		r.add(l, Listener{Network: "udp"})
	}
	for _, port := range r.cfg.TCPPorts {
		if err := r.bindTCP(port, nil, Listener{Network: "tcp"}); err != nil {
			return err
		}
	}
	for _, port := range r.cfg.RELPPorts {
		if err := r.bindRELP(port, nil, Listener{Network: "relp"}); err != nil {
			return err
		}
	}
	for _, socket := range r.cfg.UnixSockets {
		if err := r.bindUnix(socket); err != nil {
			return err
		}
	}
	if len(r.cfg.TLSPorts)+len(r.cfg.RELPTLSPorts)+len(r.cfg.DTLSPorts) > 0 {
		if err := r.bindTLS(); err != nil {
			return err
		}
	}
	return r.inherited.unused()
}

func (r *Relay) bindTLS() error {
	if err := r.openTLS(); err != nil {
		return err
	}
	config, fingerprint := r.access.Config(), r.fingerprint()
	for _, port := range r.cfg.TLSPorts {
		if err := r.bindTCP(port, config, Listener{Network: "tls", TLS: true, Fingerprint: fingerprint}); err != nil {
			return err
		}
	}
	for _, port := range r.cfg.RELPTLSPorts {
		if err := r.bindRELP(port, config, Listener{Network: "relps", TLS: true, Fingerprint: fingerprint}); err != nil {
			return err
		}
	}
	for _, port := range r.cfg.DTLSPorts {
		if err := r.bindDTLS(port, fingerprint); err != nil {
			return err
		}
	}
	return nil
}

func (r *Relay) bindDTLS(port int, fingerprint string) error {
	l, err := listen.NewDTLS(listen.DTLSOptions{
		Address: r.cfg.Address, Port: port, File: r.inherited.datagrams(port), Access: r.access.Handshake, Format: r.format(), MaxMessage: r.cfg.MaxMessageBytes,
		NameByCertificate: r.byCertificate(), BindHostname: r.cfg.BindHostname, Allow: r.allowed.function("dtls", port), Limits: r.limits, Idle: r.cfg.IdleTimeout,
		Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	})
	if err != nil {
		return err
	}
	r.add(l, Listener{Network: "dtls", TLS: true, Fingerprint: fingerprint})
	return nil
}

func (r *Relay) bindRELP(port int, config *tls.Config, told Listener) error {
	socket, err := r.inherited.stream(port)
	if err != nil {
		return err
	}
	l, err := listen.NewRELP(listen.RELPOptions{
		Address: r.cfg.Address, Port: port, Listener: socket, TLS: config, NameByCertificate: r.byCertificate(), NameByEndpoint: r.byEndpoint(), BindHostname: r.cfg.BindHostname,
		MaxMessage: r.cfg.MaxMessageBytes, Allow: r.allowed.function(told.Network, port), Proxy: r.proxy(port), Limits: r.limits, Idle: r.cfg.IdleTimeout,
		Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	})
	if err != nil {
		return err
	}
	r.add(l, told)
	return nil
}

func (r *Relay) bindTCP(port int, config *tls.Config, told Listener) error {
	socket, err := r.inherited.stream(port)
	if err != nil {
		return err
	}
	l, err := listen.NewTCP(listen.TCPOptions{
		Address: r.cfg.Address, Port: port, Listener: socket, TLS: config, Format: r.format(), MaxMessage: r.cfg.MaxMessageBytes,
		NameByCertificate: r.byCertificate(), NameByEndpoint: r.byEndpoint(), BindHostname: r.cfg.BindHostname,
		Allow: r.allowed.function(told.Network, port), Proxy: r.proxy(port), Limits: r.limits, Idle: r.cfg.IdleTimeout,
		Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	})
	if err != nil {
		return err
	}
	r.add(l, told)
	return nil
}

func (r *Relay) bindUnix(socket config.UnixSocket) error {
	opts := listen.UnixOptions{
		Path: socket.Path, Mode: r.cfg.UnixMode, Format: r.format(), MaxMessage: r.cfg.MaxMessageBytes, Limits: r.limits, Idle: r.cfg.IdleTimeout,
		Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	}
	if o := r.cfg.UnixOwner; o != nil {
		opts.Owner = func(path string) error { return os.Lchown(path, o.UID, o.GID) }
	}
	var l Runner
	var err error
	if socket.Stream {
		l, err = listen.NewUnixStream(opts)
	} else {
		l, err = listen.NewUnixDatagram(opts)
	}
	if err != nil {
		return err
	}
	r.add(l, Listener{Network: "unix"})
	return nil
}

// udpSockets is how many sockets share a UDP port, each with a reader. One takes
// some hundred thousand datagrams a second, and more than are needed wake up more
// threads. As a reader keeps a processor to itself if it can, half of them are
// left to others.
func udpSockets() int { return max(1, min(runtime.GOMAXPROCS(0)/2, 8)) }

// proxy says whose PROXY protocol headers are believed on a port.
func (r *Relay) proxy(port int) listen.Proxy {
	return listen.Proxy{Trust: listen.Networks(r.cfg.ProxyTrust), Anyone: slices.Contains(r.cfg.ProxyPorts, port)}
}

// byCertificate tells whether log streams are named after certificates.
func (r *Relay) byCertificate() bool { return r.cfg.StreamName == config.ByCertificate }

// byEndpoint tells whether they are named after VPC endpoints.
func (r *Relay) byEndpoint() bool { return r.cfg.StreamName == config.ByEndpoint }

// format is what listeners expect.
func (r *Relay) format() string {
	if r.cfg.GELF {
		return "gelf"
	}
	return "syslog"
}

func (r *Relay) add(l Runner, told Listener) {
	told.Name, told.Address = l.Name(), l.Addr().String()
	r.listeners = append(r.listeners, listener{l, told})
}
