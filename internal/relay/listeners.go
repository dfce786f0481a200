package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"

	"kinesyslog/internal/cert"
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

// bind opens every socket of the configuration.
func (r *Relay) bind() error {
	for _, port := range r.cfg.UDPPorts {
		l, err := listen.NewUDP(listen.UDPOptions{
			Address: r.cfg.Address, Port: port, Sockets: min(runtime.GOMAXPROCS(0), 8), MaxMessage: r.cfg.MaxMessageBytes,
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
	if len(r.cfg.TLSPorts) == 0 {
		return nil
	}
	pair, err := r.certificate()
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	for _, port := range r.cfg.TLSPorts {
		told := Listener{Network: "tls", TLS: true, Fingerprint: cert.Fingerprint(pair.Certificate[0])}
		if err := r.bindTCP(port, config, told); err != nil {
			return err
		}
	}
	return nil
}

func (r *Relay) bindTCP(port int, config *tls.Config, told Listener) error {
	l, err := listen.NewTCP(listen.TCPOptions{
		Address: r.cfg.Address, Port: port, TLS: config, MaxMessage: r.cfg.MaxMessageBytes,
		Journal: appenders{r.journal}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	})
	if err != nil {
		return err
	}
	r.add(l, told)
	return nil
}

func (r *Relay) add(l Runner, told Listener) {
	told.Name, told.Address = l.Name(), l.Addr().String()
	r.listeners = append(r.listeners, listener{l, told})
}

// certificate loads the one that was configured, or ours.
func (r *Relay) certificate() (tls.Certificate, error) {
	if r.cfg.SelfSigned {
		return cert.LoadOrCreate(r.cfg.SpoolDir)
	}
	pair, err := cert.Load(r.cfg.Cert, r.cfg.Key)
	if err != nil {
		return pair, fmt.Errorf("TLS listener: %w", err)
	}
	return pair, nil
}
