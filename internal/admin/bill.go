package admin

import (
	"fmt"
	"strconv"
)

// Bill is what was delivered since the relay started, and what that costs.
// Firehose rounds every record up to 5 KiB, and a GB on its bill is 2^30 bytes.
type Bill struct {
	Records     uint64 `json:"records"`
	RawBytes    uint64 `json:"raw_bytes"`    // of the messages in them, as they came
	SentBytes   uint64 `json:"sent_bytes"`   // of the records, compressed, before base64
	BilledBytes uint64 `json:"billed_bytes"` // the same, each record rounded up
	// PricePerGB is in USD; 0 if nobody wants to know.
	PricePerGB float64 `json:"price_per_gb"`
	// CostPerRawGB is what BilledBytes cost for each GB of RawBytes, in USD. The
	// Server fills it in.
	CostPerRawGB float64 `json:"cost_per_raw_gb"`
}

const (
	// paddedFrom is how many times more is billed than was sent when it is worth
	// a word. Records of 10 KiB on average come to 1.25.
	paddedFrom = 1.5
	// fewRecords are too few to conclude anything from.
	fewRecords = 100
)

// Cost is what each GB of messages cost, in USD: 0 without a price, or as long
// as nothing was delivered.
func (b Bill) Cost() float64 {
	if b.RawBytes == 0 {
		return 0
	}
	return b.PricePerGB * float64(b.BilledBytes) / float64(b.RawBytes)
}

// String is the bill in one line.
func (b Bill) String() string {
	if b.Records == 0 {
		return "nothing was delivered"
	}
	line := fmt.Sprintf("raw %s, sent %s, billed %s", formatBytes(b.RawBytes), formatBytes(b.SentBytes), formatBytes(b.BilledBytes))
	if b.PricePerGB > 0 && b.RawBytes > 0 {
		line += fmt.Sprintf(": %.4f USD per raw GB at %s USD per GB", b.Cost(), strconv.FormatFloat(b.PricePerGB, 'f', -1, 64))
	}
	return line
}

// Hint says what makes the bill smaller where most of it is rounding; else it is
// empty.
func (b Bill) Hint() string {
	if b.Records < fewRecords || float64(b.BilledBytes) < paddedFrom*float64(b.SentBytes) {
		return ""
	}
	return fmt.Sprintf("%.1f times as much is billed as was sent: records of %s on average are rounded up to 5 KiB each, as many senders say little; "+
		"raise --flush-interval or --flush-interval-max, or give senders one log stream with --stream-name listener",
		float64(b.BilledBytes)/float64(b.SentBytes), formatBytes(b.SentBytes/b.Records))
}
