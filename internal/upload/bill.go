package upload

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/event"
)

// billedStep is what Firehose rounds every record up to when it bills.
const billedStep = 5 << 10

// Bill is what Firehose has taken of this process, and what that is on the bill.
// A record counts when Firehose answers that it has taken it, whichever process
// made it: what an earlier one left in the spool is counted with the raw bytes
// that the spool file says. A record that was taken although its answer was lost
// is billed twice by AWS and counted once here.
type Bill struct {
	Records uint64
	Raw     uint64 // bytes of the messages in them, as they came, without framing
	Sent    uint64 // bytes of the records, compressed, before base64
	Billed  uint64 // the same with every record rounded up to 5 KiB
}

// billing adds up a Bill. It is safe for concurrent use.
type billing struct {
	mu   sync.Mutex
	bill Bill
}

func (b *billing) add(taken []event.Stored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range taken {
		b.bill.Records++
		b.bill.Raw += uint64(max(r.RawBytes, 0))
		b.bill.Sent += uint64(len(r.Data))
		b.bill.Billed += uint64((len(r.Data) + billedStep - 1) / billedStep * billedStep)
	}
}

func (b *billing) load() Bill {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bill
}

// Bill returns what was delivered so far. It may be called at any time.
func (u *Uploader) Bill() Bill { return u.metrics.billing.load() }

// collectors export it.
func (b *billing) collectors() []prometheus.Collector {
	counter := func(name, help string, of func(Bill) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "kinesyslog_upload_" + name, Help: help},
			func() float64 { return float64(of(b.load())) })
	}
	return []prometheus.Collector{
		counter("raw_bytes_total", "Bytes of the messages in records that Firehose took, as they came.", func(b Bill) uint64 { return b.Raw }),
		counter("bytes_total", "Bytes of records that Firehose took, compressed, before base64.", func(b Bill) uint64 { return b.Sent }),
		counter("billed_bytes_total", "The same with every record rounded up to 5 KiB, as it is billed.", func(b Bill) uint64 { return b.Billed }),
	}
}
