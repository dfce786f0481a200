package upload

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Results of a call.
const (
	callOK      = "ok"
	callPartial = "partial"
	callRefused = "refused" // for what the records are, or all of them one by one
	callRetry   = "retry"
	callFault   = "fault"
)

type metrics struct {
	calls       map[string]prometheus.Counter
	retries     map[string]prometheus.Counter
	delivered   prometheus.Counter
	returned    prometheus.Counter
	deadLetters prometheus.Counter
	seconds     prometheus.Histogram
	billing     billing
}

func newMetrics(r prometheus.Registerer, u *Uploader) (*metrics, error) {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kinesyslog_upload_calls_total", Help: "PutRecordBatch calls by result.",
	}, []string{"result"})
	records := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kinesyslog_upload_records_total", Help: "Records in calls, by what became of them.",
	}, []string{"result"})
	retries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kinesyslog_upload_retries_total", Help: "Calls of which all or some records have to be sent again, by reason.",
	}, []string{"reason"})
	m := &metrics{
		calls:       map[string]prometheus.Counter{},
		retries:     map[string]prometheus.Counter{},
		delivered:   records.WithLabelValues("delivered"),
		returned:    records.WithLabelValues("returned"),
		deadLetters: records.WithLabelValues("dead_letter"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kinesyslog_upload_seconds", Help: "Time of one call, failed ones included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	for _, result := range []string{callOK, callPartial, callRefused, callRetry, callFault} {
		m.calls[result] = calls.WithLabelValues(result)
	}
	for reason := range hints {
		m.retries[reason] = retries.WithLabelValues(reason)
	}
	m.retries[reasonCancelled] = retries.WithLabelValues(reasonCancelled)
	for _, c := range append(m.billing.collectors(),
		calls, records, retries, m.seconds,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "kinesyslog_upload_in_flight", Help: "Calls being made.",
		}, func() float64 { return float64(u.gate.load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "kinesyslog_upload_rate_limit_bytes_per_second", Help: "What is sent at most because the stream refused more; 0 for no limit.",
		}, u.pace.limit),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "kinesyslog_upload_last_success_timestamp_seconds", Help: "When Firehose last took a record; 0 for never.",
		}, u.lastSuccess),
	) {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (u *Uploader) lastSuccess() float64 {
	last := u.State().LastSuccess
	if last.IsZero() {
		return 0
	}
	return float64(last.UnixMilli()) / 1000
}

// answered counts a call whose records were answered one by one.
func (m *metrics) answered(s sorted) {
	switch {
	case len(s.refused) == 0:
		m.calls[callOK].Inc()
	case len(s.accepted) == 0:
		m.calls[callRefused].Inc()
	default:
		m.calls[callPartial].Inc()
	}
	if len(s.refused) > 0 {
		m.retries[s.reason()].Inc()
	}
	m.delivered.Add(float64(len(s.accepted)))
	m.returned.Add(float64(len(s.refused)))
	m.billing.add(s.accepted)
}

// failedCall counts a call whose records are all kept.
func (m *metrics) failedCall(f fault, records int) {
	if f.class == misconfigured {
		m.calls[callFault].Inc()
	} else {
		m.calls[callRetry].Inc()
	}
	m.kept(f, records)
}

// refusedCall counts a call that was refused for what its records are.
func (m *metrics) refusedCall() { m.calls[callRefused].Inc() }

// kept counts records that have to be sent again because of a fault.
func (m *metrics) kept(f fault, records int) {
	m.retries[f.reason].Inc()
	m.returned.Add(float64(records))
}
