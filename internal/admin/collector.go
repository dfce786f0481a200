package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/ledger"
)

// collector exports the ledger. All values of one scrape come from one
// snapshot, so that received + recovered = delivered + held + dropped holds
// within every scrape, whatever moves meanwhile.
type collector struct {
	ledger *ledger.Ledger

	received, receivedBytes, recovered, delivered *prometheus.Desc
	held, dropped, difference                     *prometheus.Desc
}

func newCollector(l *ledger.Ledger) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("kinesyslog_"+name, help, append([]string{"listener"}, labels...), nil)
	}
	return &collector{
		ledger:        l,
		received:      desc("messages_received_total", "Messages taken from the network."),
		receivedBytes: desc("messages_received_bytes_total", "Bytes of the messages taken from the network, without framing."),
		recovered:     desc("messages_recovered_total", "Messages found on disk at start, left by an earlier process."),
		delivered:     desc("messages_delivered_total", "Messages that Firehose has accepted."),
		held:          desc("messages_held", "Messages that wait, by the place they wait in.", "place"),
		dropped:       desc("messages_dropped_total", "Messages given up, by reason.", "reason"),
		difference:    desc("ledger_difference", "Received + recovered - delivered - held - dropped: anything but 0 is a fault in kinesyslog."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.received, c.receivedBytes, c.recovered, c.delivered, c.held, c.dropped, c.difference} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for _, b := range c.ledger.Snapshot() {
		counter(c.received, b.Received, b.Listener)
		counter(c.receivedBytes, b.ReceivedBytes, b.Listener)
		counter(c.recovered, b.Recovered, b.Listener)
		counter(c.delivered, b.Delivered, b.Listener)
		for place, n := range b.Held {
			ch <- prometheus.MustNewConstMetric(c.held, prometheus.GaugeValue, float64(n), b.Listener, ledger.Place(place).String())
		}
		for reason, n := range b.Dropped {
			counter(c.dropped, n, b.Listener, reason)
		}
		ch <- prometheus.MustNewConstMetric(c.difference, prometheus.GaugeValue, float64(b.Difference()), b.Listener)
	}
}
