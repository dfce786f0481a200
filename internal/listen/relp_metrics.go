package listen

import (
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/relp"
)

// relpMetrics are those that a RELP listener has beside the ones of every
// listener with connections.
type relpMetrics struct {
	sessions       prometheus.Counter
	frames         prometheus.Counter
	acknowledged   prometheus.Counter
	unacknowledged prometheus.Counter
	errors         map[relp.Reason]prometheus.Counter
	ackSeconds     prometheus.Histogram
}

func newRELPMetrics(reg prometheus.Registerer, listener string) (*relpMetrics, error) {
	r := newRegistrar(reg, listener)
	m := &relpMetrics{
		sessions:       r.counter("relp_sessions_total", "Sessions that clients have opened.", nil),
		frames:         r.counter("relp_frames_total", "Messages that came, those that clients sent again included.", nil),
		acknowledged:   r.counter("relp_acknowledged_total", "Messages whose clients were told that they are on disk.", nil),
		unacknowledged: r.counter("relp_unacknowledged_total", "Messages that came and were not acknowledged before their connection ended: clients send them again.", nil),
		errors:         map[relp.Reason]prometheus.Counter{},
		ackSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "kinesyslog", Name: "relp_ack_seconds",
			Help:    "Time from reading a message to its acknowledgement: of those acknowledged together, the one that waited longest.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 16),
		}),
	}
	for _, reason := range []relp.Reason{relp.BadFrame, relp.BadTxnr, relp.BadCommand, relp.BadOffer} {
		m.errors[reason] = r.counter("relp_protocol_errors_total", "Sessions that ended by an error in the protocol, by reason.",
			prometheus.Labels{"reason": string(reason)})
	}
	r.register(m.ackSeconds)
	return m, r.err(listener)
}
