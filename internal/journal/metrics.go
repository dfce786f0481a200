package journal

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	registerer    prometheus.Registerer
	written       prometheus.Counter
	generations   prometheus.Gauge
	recovered     prometheus.Counter
	damaged       prometheus.Counter
	writeFailures prometheus.Counter
	syncSeconds   prometheus.Histogram
	syncFailures  prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		registerer: r,
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_journal_written_bytes_total", Help: "Bytes written to journal files.",
		}),
		generations: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kinesyslog_journal_generations", Help: "Journal files that exist, the open ones included.",
		}),
		recovered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_journal_recovered_messages_total", Help: "Messages found in the journal at start.",
		}),
		damaged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_journal_damaged_total", Help: "Damaged places found in journal files.",
		}),
		writeFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_journal_write_failures_total", Help: "Writes that the disk refused; they are tried again.",
		}),
		syncSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kinesyslog_journal_sync_seconds", Help: "Time of one round of fsync.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		syncFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_journal_sync_failures_total", Help: "Files whose fsync failed.",
		}),
	}
	r.MustRegister(m.written, m.generations, m.recovered, m.damaged, m.writeFailures, m.syncSeconds, m.syncFailures)
	return m
}

// backlog adds the gauge of closed generations that wait to be converted.
func (m *metrics) backlog(f func() float64) {
	m.registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kinesyslog_journal_backlog", Help: "Closed journal files that wait to be made into records.",
	}, f))
}
