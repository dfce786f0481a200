package listen

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/gelf"
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
	refusedProxy     prometheus.Counter
	refusedAddress   prometheus.Counter
	closedIdle       prometheus.Counter
	closedMemory     prometheus.Counter
	slowed           prometheus.Counter
	handshakesFailed prometheus.Counter

	// Datagrams.
	receiveBuffer prometheus.Gauge
	readGap       prometheus.Histogram

	// DTLS.
	unproven, noSession prometheus.Counter
}

// told is a counter of what the log tells of, too.
type told struct {
	prometheus.Counter
	log *sampled
}

// Inc implements prometheus.Counter.
func (t told) Inc() {
	t.Counter.Inc()
	t.log.warn()
}

// tellCuts has the log tell of messages that are cut.
func (m *metrics) tellCuts(log *slog.Logger) {
	m.cut = told{m.cut, newSampled(log, "message cut: it is longer than --max-message-bytes, which can be raised to 262144")}
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
		cut:           r.cut(),
		refusedSender: r.refused("sender"),
	}
}

func (r *registrar) cut() prometheus.Counter {
	return r.counter("messages_cut_total", "Messages that were longer than allowed and were cut.", nil)
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
	m.refusedProxy = r.refused("proxy_header")
	m.refusedAddress = r.refused("connections_of_address")
	m.closedIdle, m.closedMemory = r.closed("idle"), r.closed("memory")
	m.slowed = r.counter("rate_limited_reads_total", "Reads after which a sender had to wait because it sends too many messages a second.", nil)
	m.handshakesFailed = r.handshakesFailed()
	return m, r.err(listener)
}

func (r *registrar) closed(reason string) prometheus.Counter {
	return r.counter("connections_closed_total", "Connections that a limit has ended, by reason.", prometheus.Labels{"reason": reason})
}

func (r *registrar) handshakesFailed() prometheus.Counter {
	return r.counter("tls_handshake_failures_total", "TLS connections that failed before the first message.", nil)
}

// newDTLSMetrics count sessions as connections.
func newDTLSMetrics(reg prometheus.Registerer, listener string) (*metrics, error) {
	r := newRegistrar(reg, listener)
	m := r.common()
	m.connections = r.gauge("connections", "Connections that are open.")
	m.accepted = r.counter("connections_total", "Connections that were accepted.", nil)
	m.refusedLimit = r.refused("connections")
	m.refusedAddress = r.refused("connections_of_address")
	m.closedIdle = r.closed("idle")
	m.handshakesFailed = r.handshakesFailed()
	m.unproven = r.counter("dtls_unproven_total", "Senders of a first message that did not give the cookie back, so that their address may have been forged.", nil)
	m.noSession = r.counter("dtls_no_session_total", "Datagrams that belong to no session and do not begin one.", nil)
	return m, r.err(listener)
}

func newUDPMetrics(reg prometheus.Registerer, listener string) (*metrics, error) {
	r := newRegistrar(reg, listener)
	m := r.common()
	m.receiveBuffer = r.gauge("kernel_receive_buffer_bytes", "Receive buffers of all sockets of the listener, in the kernel's accounting, which includes its overhead.")
	m.readGap = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "kinesyslog", Name: "udp_read_gap_seconds",
		Help:    "Time from one read of a UDP socket to the next while nobody waits for datagrams, so that they queue: what the read brought is put into the journal, then datagrams gather for up to 2 ms.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1},
	})
	r.register(m.readGap)
	return m, r.err(listener)
}

// newUnixMetrics are those of datagrams over a Unix socket.
func newUnixMetrics(reg prometheus.Registerer, listener string) (*metrics, error) {
	r := newRegistrar(reg, listener)
	m := &metrics{cut: r.cut()}
	return m, r.err(listener)
}

// gelfMetrics are those of GELF on one listener. What was lost of it is in the
// ledger. On listeners with connections only the first is not nil.
type gelfMetrics struct {
	recognised prometheus.Counter
	duplicates prometheus.Counter
	incomplete prometheus.Gauge

	chunkHeader, chunkCount, chunkSequence, damaged prometheus.Counter
}

func newGELFMetrics(reg prometheus.Registerer, listener string, datagrams bool) (*gelfMetrics, error) {
	r := newRegistrar(reg, listener)
	m := &gelfMetrics{recognised: r.counter("gelf_recognised_total", "Messages that were taken as GELF on a listener for syslog.", nil)}
	if datagrams {
		undecoded := func(reason string) prometheus.Counter {
			return r.counter("gelf_undecoded_total", "Datagrams, or messages of several, that begin like GELF and could not be decoded, by reason. They were delivered as they came.",
				prometheus.Labels{"reason": reason})
		}
		m.duplicates = r.counter("gelf_duplicate_chunks_total", "Chunks that came again.", nil)
		m.incomplete = r.gauge("gelf_incomplete_messages", "Messages that wait for more of their chunks. They are not booked as received yet.")
		m.chunkHeader = undecoded("chunk_header")
		m.chunkCount = undecoded("chunk_count")
		m.chunkSequence = undecoded("chunk_sequence")
		m.damaged = undecoded("damaged")
	}
	return m, r.err(listener)
}

// undecoded returns the counter of an error of gelf.Decoder.
func (m *gelfMetrics) undecoded(err error) prometheus.Counter {
	switch {
	case errors.Is(err, gelf.ErrChunkHeader):
		return m.chunkHeader
	case errors.Is(err, gelf.ErrChunkCount):
		return m.chunkCount
	case errors.Is(err, gelf.ErrChunkSequence):
		return m.chunkSequence
	}
	return m.damaged
}

func (r *registrar) err(listener string) error {
	if err := errors.Join(r.errs...); err != nil {
		return fmt.Errorf("register the metrics of %s: %w", listener, err)
	}
	return nil
}
