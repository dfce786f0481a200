package batch

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

type metrics struct {
	records [10]prometheus.Counter // by gzip level; there is no 0
	raw     prometheus.Counter
	bytes   prometheus.Counter
	fill    prometheus.Histogram
	unnamed prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	records := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kinesyslog_batch_records_total", Help: "Records made, by gzip level.",
	}, []string{"level"})
	m := &metrics{
		raw: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_batch_raw_bytes_total", Help: "Bytes of the messages in records, as they came.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_batch_record_bytes_total", Help: "Bytes of records, compressed.",
		}),
		fill: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kinesyslog_batch_record_bytes", Help: "Size of records; Firehose bills in steps of 5 KiB.",
			Buckets: prometheus.ExponentialBuckets(1024, 2, 11),
		}),
		unnamed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_batch_hosts_over_limit_total",
			Help: "Messages in the log stream of their sender's address because too many hosts were named in one flush interval.",
		}),
	}
	for level := 1; level < len(m.records); level++ {
		m.records[level] = records.WithLabelValues(strconv.Itoa(level))
	}
	r.MustRegister(records, m.raw, m.bytes, m.fill, m.unnamed)
	return m
}

func (m *metrics) record(r event.Record, level int) {
	m.records[level].Inc()
	m.raw.Add(float64(r.RawBytes))
	m.bytes.Add(float64(len(r.Data)))
	m.fill.Observe(float64(len(r.Data)))
}
