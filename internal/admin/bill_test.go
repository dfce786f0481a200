package admin

import (
	"math"
	"strings"
	"testing"
)

func TestTheBillIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		name string
		bill Bill
		want string
	}{
		{
			"full records",
			Bill{Records: 3000, RawBytes: 5 << 30, SentBytes: 1 << 30, BilledBytes: 11 << 30 / 10, PricePerGB: 0.029},
			"raw 5.0 GiB, sent 1.0 GiB, billed 1.1 GiB: 0.0064 USD per raw GB at 0.029 USD per GB",
		},
		{"no price", Bill{Records: 1, RawBytes: 256, SentBytes: 300, BilledBytes: 5120}, "raw 256 B, sent 300 B, billed 5.0 KiB"},
		{
			"padding",
			Bill{Records: 1, RawBytes: 256, SentBytes: 300, BilledBytes: 5120, PricePerGB: 1},
			"raw 256 B, sent 300 B, billed 5.0 KiB: 20.0000 USD per raw GB at 1 USD per GB",
		},
		{"empty messages", Bill{Records: 1, SentBytes: 200, BilledBytes: 5120, PricePerGB: 1}, "raw 0 B, sent 200 B, billed 5.0 KiB"},
		{"nothing", Bill{PricePerGB: 0.029}, "nothing was delivered"},
	} {
		if got := tt.bill.String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if cost := tt.bill.Cost(); math.IsNaN(cost) || math.IsInf(cost, 0) {
			t.Errorf("%s: cost %v", tt.name, cost)
		}
	}
}

func TestTheBillNamesTheLeversWhereMostOfItIsRounding(t *testing.T) {
	quiet := Bill{Records: 2000, SentBytes: 2000 * 400, BilledBytes: 2000 * 5120}
	for _, want := range []string{"12.8 times", "400 B on average", "--flush-interval", "--stream-name listener"} {
		if got := quiet.Hint(); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	for name, b := range map[string]Bill{
		"full records": {Records: 2000, SentBytes: 2000 * 160_000, BilledBytes: 2000 * 163_840},
		"a few tests":  {Records: 3, SentBytes: 3 * 400, BilledBytes: 3 * 5120},
		"nothing":      {},
	} {
		if got := b.Hint(); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
