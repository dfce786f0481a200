package spool

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	damaged       prometheus.Counter
	deadLetters   prometheus.Counter
	commitSeconds prometheus.Histogram
}

// newMetrics registers the metrics; stats gives the gauges their values.
func newMetrics(r prometheus.Registerer, stats func() Stats) *metrics {
	m := &metrics{
		damaged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_spool_damaged_total", Help: "Damaged records and damaged places found in spool files.",
		}),
		deadLetters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kinesyslog_spool_dead_letters_total", Help: "Records that became dead letters.",
		}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kinesyslog_spool_commit_seconds", Help: "Time to make a finished spool file durable.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	gauge := func(name, help string, value func(Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(stats()) })
	}
	r.MustRegister(
		m.damaged, m.deadLetters, m.commitSeconds,
		gauge("kinesyslog_spool_files", "Published spool files that are not all delivered.",
			func(s Stats) float64 { return float64(s.Files) }),
		gauge("kinesyslog_spool_records", "Records that wait for delivery, those in flight included.",
			func(s Stats) float64 { return float64(s.Records) }),
		gauge("kinesyslog_spool_events", "Messages in the records that wait for delivery.",
			func(s Stats) float64 { return float64(s.Events) }),
		gauge("kinesyslog_spool_bytes", "Bytes of the published spool files.",
			func(s Stats) float64 { return float64(s.Bytes) }),
		gauge("kinesyslog_spool_oldest_age_seconds", "Age of the oldest spool file; 0 if there is none.",
			func(s Stats) float64 {
				if s.Oldest.IsZero() {
					return 0
				}
				return time.Since(s.Oldest).Seconds()
			}),
		gauge("kinesyslog_spool_dead_letter_files", "Dead letters that are kept.",
			func(s Stats) float64 { return float64(s.DeadLetters) }),
		gauge("kinesyslog_spool_dead_letter_bytes", "Bytes of the dead letters that are kept.",
			func(s Stats) float64 { return float64(s.DeadBytes) }),
	)
	return m
}
