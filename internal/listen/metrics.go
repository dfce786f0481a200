package listen

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of one listener. Messages and bytes received and dropped
// are in the ledger. A listener has only what makes sense for it; the rest is
// nil.
type metrics struct {
	cut           prometheus.Counter
	refusedSender prometheus.Counter

	// Connections.
	connections      prometheus.Gauge
	accepted         prometheus.Counter
	acceptErrors     prometheus.Counter
	refusedLimit     prometheus.Counter
	handshakesFailed prometheus.Counter

	// Datagrams.
	receiveBuffer prometheus.Gauge
}

// registrar collects the errors of many registrations.
type registrar struct {
	reg  prometheus.Registerer
	errs []error
}

func (r *registrar) register(c prometheus.Collector) {
	if r.reg != nil {
		r.errs = append(r.errs, r.reg.Register(c))
	}
}

func (r *registrar) counter(name, help string, labels prometheus.Labels) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "kinesyslog", Name: name, Help: help, ConstLabels: labels})
	r.register(c)
	return c
}

func (r *registrar) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "kinesyslog", Name: name, Help: help})
	r.register(g)
	return g
}

func (r *registrar) refused(reason string) prometheus.Counter {
	return r.counter("refused_total", "Connections or datagrams that were refused, by reason.", prometheus.Labels{"reason": reason})
}

func (r *registrar) common() *metrics {
	return &metrics{
		cut:           r.counter("messages_cut_total", "Messages that were longer than allowed and were cut.", nil),
		refusedSender: r.refused("sender"),
	}
}

// newRegistrar adds the listener's name to all that is registered. A nil
// Registerer is allowed.
func newRegistrar(reg prometheus.Registerer, listener string) *registrar {
	if reg == nil {
		return &registrar{}
	}
	return &registrar{reg: prometheus.WrapRegistererWith(prometheus.Labels{"listener": listener}, reg)}
}

func newTCPMetrics(reg prometheus.Registerer, listener string) (*metrics, error) {
	r := newRegistrar(reg, listener)
	m := r.common()
	m.connections = r.gauge("connections", "Connections that are open.")
	m.accepted = r.counter("connections_total", "Connections that were accepted.", nil)
	m.acceptErrors = r.counter("accept_errors_total", "Connections that the kernel could not hand over.", nil)
	m.refusedLimit = r.refused("connections")
	m.handshakesFailed = r.counter("tls_handshake_failures_total", "TLS connections that failed before the first message.", nil)
	return m, r.err(listener)
}

func newUDPMetrics(reg prometheus.Registerer, listener string) (*metrics, error) {
	r := newRegistrar(reg, listener)
	m := r.common()
	m.receiveBuffer = r.gauge("kernel_receive_buffer_bytes", "Receive buffers of all sockets of the listener, in the kernel's accounting, which includes its overhead.")
	return m, r.err(listener)
}

func (r *registrar) err(listener string) error {
	if err := errors.Join(r.errs...); err != nil {
		return fmt.Errorf("register the metrics of %s: %w", listener, err)
	}
	return nil
}
