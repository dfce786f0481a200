package listen

import (
	"bufio"
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/yardstick"
)

// BenchmarkYardstick takes messages of 256 bytes from what a connection has
// sent, as far as the journal, with a bufio.Scanner as the yardstick.
func BenchmarkYardstick(b *testing.B) {
	const count = 1000
	data := []byte(strings.Repeat("<13>"+strings.Repeat("x", 251)+"\n", count))
	b.Run("stream/ours", func(b *testing.B) {
		s := newTestStream(nil, nullJournal{})
		yardstick.Measure(b, count, len(data), func() {
			for rest := data; len(rest) > 0; {
				n := copy(s.buf.space(), rest)
				rest = rest[n:]
				s.buf.filled(n)
				if err := s.take(b.Context(), 1, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("stream/bufio", func(b *testing.B) {
		buf := make([]byte, maxBuffer)
		yardstick.Measure(b, count, len(data), func() {
			lines := bufio.NewScanner(bytes.NewReader(data))
			for lines.Buffer(buf, len(buf)); lines.Scan(); {
			}
		})
	})
}

// BenchmarkShared is what readers of sockets share: once a datagram the buckets
// of --rate-limit, if that is given; once in a while memory for long messages and
// a metric.
func BenchmarkShared(b *testing.B) {
	l, err := NewLimits(LimitOptions{Memory: 1 << 30, Rate: 1_000_000_000})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("rate_of_a_sender", func(b *testing.B) {
		yardstick.Together(b, func(core int) func() {
			sender := netip.AddrFrom4([4]byte{192, 0, 2, byte(core)})
			return func() { l.admits(sender) }
		})
	})
	b.Run("memory_of_connections", func(b *testing.B) {
		yardstick.Together(b, func(int) func() {
			return func() {
				l.use(4096, true)
				l.free(4096)
			}
		})
	})
	b.Run("counter", func(b *testing.B) {
		m, err := newUDPMetrics(prometheus.NewRegistry(), "udp/514")
		if err != nil {
			b.Fatal(err)
		}
		yardstick.Together(b, func(int) func() { return m.cut.Inc })
	})
}
