package relay

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/admin"
	"kinesyslog/internal/config"
)

// bill is what was delivered since the start, at the price that was given.
func (r *Relay) bill() admin.Bill {
	b := r.uploader.Bill()
	return admin.Bill{
		Records: b.Records, RawBytes: b.Raw, SentBytes: b.Sent, BilledBytes: b.Billed, PricePerGB: r.cfg.PricePerGB,
	}
}

// presentBill says in the log what was delivered and what it costs.
func (r *Relay) presentBill() {
	b := r.bill()
	if b.Records == 0 {
		return
	}
	text := "the bill: " + b.String()
	if r.cfg.Local != "" {
		text = "the bill, were it AWS: " + b.String()
	}
	r.log.Info(text)
	if hint := b.Hint(); hint != "" {
		r.log.Info(hint)
	}
}

// registerBill exports the price and what it comes to.
func (r *Relay) registerBill() {
	gauge := func(name, help string, value func() float64) {
		r.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("kinesyslog_price_per_gb", "What Firehose takes for a GB, in USD: --price-per-gb.", func() float64 { return r.cfg.PricePerGB })
	gauge("kinesyslog_cost_per_raw_gb", "What a GB of messages as they came has cost since the start, in USD; 0 if nothing was delivered.",
		func() float64 { return r.bill().Cost() })
}

// priceList says what there is to pay before anything was delivered: the least
// that a log stream costs, which many quiet senders multiply.
func priceList(cfg *config.Listen) string {
	const month = 30 * 24 * time.Hour
	interval := max(cfg.FlushInterval, cfg.FlushIntervalMax)
	least := float64(month/interval) * leastBilled / (1 << 30) * cfg.PricePerGB
	return fmt.Sprintf("bill: %g USD per GB (--price-per-gb), each record rounded up to 5 KiB; a sender that says little, but always something, costs %.4f USD in 30 days at one record every %s",
		cfg.PricePerGB, least, interval)
}

// leastBilled is what Firehose bills for the smallest record.
const leastBilled = 5 << 10
