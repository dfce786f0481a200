package listen

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"

	"kinesyslog/internal/access"
	"kinesyslog/internal/event"
	"kinesyslog/internal/gelf"
)

// dtlsSuites are those of package access as far as the library has them.
func dtlsSuites() []dtls.CipherSuiteID {
	return []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		dtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// server makes the library's end of a peer's session. There is no resumption,
// so that a policy is always asked.
func (d *DTLS) server(p *dtlsPeer, hands access.Handshake) (*dtls.Conn, error) {
	opts := []dtls.ServerOption{
		dtls.WithCertificates(hands.Certificates...),
		dtls.WithCipherSuites(dtlsSuites()...),
		dtls.WithLoggerFactory(dtlsLog{d.log}),
		dtls.WithVerifyConnection(func(state *dtls.State) error {
			certificates := make([]*x509.Certificate, len(state.PeerCertificates))
			for i, der := range state.PeerCertificates {
				var err error
				if certificates[i], err = x509.ParseCertificate(der); err != nil {
					return err
				}
			}
			return hands.Permit(certificates, time.Now())
		}),
	}
	if hands.Auth != access.None {
		// That there is one, and that it is good, Permit sees to. The library
		// sees to it that the client holds the key.
		opts = append(opts, dtls.WithClientAuth(dtls.RequestClientCert))
	}
	return dtls.ServerWithOptions(p, net.UDPAddrFromAddrPort(p.addr), opts...)
}

// serve handles one peer from its first datagram to its last.
func (d *DTLS) serve(ctx context.Context, p *dtlsPeer) {
	defer p.close()
	conn, err := d.server(p, d.opts.Access())
	if err != nil {
		d.metrics.handshakesFailed.Inc()
		d.handshakes.log.warn(slog.Any("sender", p.sender), slog.Any("error", err))
		return
	}
	defer conn.Close()
	limited, cancel := context.WithTimeout(ctx, d.opts.Handshake)
	err = conn.HandshakeContext(limited)
	cancel()
	proven, refused := p.place()
	if proven {
		defer d.disconnect(p)
	}
	switch {
	case err == nil:
		close(p.shaken)
		err = d.read(p, conn)
		if errors.Is(err, errIdle) {
			d.metrics.closedIdle.Inc()
			d.closed.warn(slog.Any("sender", p.sender), slog.Any("error", err))
		}
		d.log.Debug("session closed", "sender", p.sender, "error", err)
	case refused != nil: // it was told of
	case !proven:
		d.metrics.unproven.Inc()
	default:
		d.unshaken(ctx, p, err)
	}
}

// unshaken tells of a handshake with a peer that is where it says.
func (d *DTLS) unshaken(ctx context.Context, p *dtlsPeer, err error) {
	if refusal, is := access.AsRefusal(err); is {
		d.handshakes.refuse(p.sender, refusal)
	} else if ctx.Err() == nil && !p.stopped() {
		d.metrics.handshakesFailed.Inc()
		d.handshakes.log.warn(slog.Any("sender", p.sender), slog.Any("error", err), slog.String("hint", handshakeHint(err)))
	}
}

// read takes the messages of a session until it ends, and tells why.
func (d *DTLS) read(p *dtlsPeer, conn *dtls.Conn) error {
	buf := make([]byte, maxDTLSDatagram)
	from := d.newSession(p, conn)
	for {
		draining := p.listen(conn, d.opts.Idle)
		n, err := conn.Read(buf)
		var network net.Error
		switch {
		case err == nil:
			d.takeRecord(from, buf[:n])
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return nil
		case errors.As(err, &network) && network.Timeout():
			if draining {
				return nil
			}
			if !p.stopped() {
				return errIdle
			}
		default: // a record that cannot be read, or a warning
			d.log.Debug("record ignored", "sender", p.sender, "error", err)
		}
	}
}

// dtlsSession is what the messages of one session have in common.
type dtlsSession struct {
	sender   netip.Addr
	source   *event.Source
	gelf     *event.Source // of messages that are GELF among others; nil where all are of source's format
	claims   *claims       // nil: host names are not bound
	appender Appender
}

func (d *DTLS) newSession(p *dtlsPeer, conn *dtls.Conn) *dtlsSession {
	s := &dtlsSession{sender: p.sender, source: d.sources.get(p.sender), appender: d.opts.Journal.NewAppender()}
	if d.gelf != nil {
		s.gelf = d.gelf.get(p.sender)
	}
	if !d.opts.NameByCertificate && d.hostnames == nil {
		return s
	}
	certificate := dtlsCertificate(conn)
	s.claims = d.hostnames.of(certificate, p.sender)
	name := naming{byCertificate: d.opts.NameByCertificate}.stream(certificate, vpcEndpoint{}, p.sender)
	s.source = s.source.Named(name)
	if s.gelf != nil {
		s.gelf = s.gelf.Named(name)
	}
	return s
}

// takeRecord puts the messages of a record into the journal, but for those that
// are refused.
func (d *DTLS) takeRecord(s *dtlsSession, record []byte) {
	var frames framer = gelf.NewNULFramer(d.opts.MaxMessage)
	if d.opts.Format != formatGELF {
		frames = newMixedFramer(d.opts.MaxMessage)
	}
	received, added := time.Now().UnixMicro(), false
	var fast tally
	for {
		msg, used, cut, ok := frames.Next(record, true)
		record = record[used:]
		if !ok {
			break
		}
		if cut {
			d.metrics.cut.Inc()
		}
		if !d.opts.Limits.admits(s.sender) {
			fast.messages++
			fast.bytes += uint64(len(msg))
			continue
		}
		source := s.source
		if s.gelf != nil && gelf.Looks(msg) == gelf.JSON {
			source = s.gelf
			d.recognised.Inc()
		}
		if source, may := s.claims.judge(source, msg); may {
			s.appender.Add(source, received, msg)
			added = true
		}
	}
	s.claims.settle()
	if fast.messages > 0 {
		d.opts.Ledger.Drop(d.name, dropRate, fast.messages, fast.bytes)
		d.fast.warn(slog.Any("sender", s.sender))
	}
	if added {
		// Nothing waits in it.
		if err := s.appender.Commit(context.Background(), false); err != nil {
			d.lost.warn(slog.Any("error", err))
		}
	}
}
