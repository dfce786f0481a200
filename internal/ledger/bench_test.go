package ledger

import (
	"fmt"
	"testing"

	"kinesyslog/internal/yardstick"
)

// BenchmarkShared books what a read of a socket brought, as every reader does
// for every read: for one listener, and for a listener of its own.
func BenchmarkShared(b *testing.B) {
	b.Run("receive/one_listener", func(b *testing.B) {
		l := New()
		yardstick.Together(b, func(int) func() { return func() { l.Receive("tcp/514", 64, 64*256) } })
	})
	b.Run("receive/own_listener", func(b *testing.B) {
		l := New()
		yardstick.Together(b, func(core int) func() {
			name := fmt.Sprintf("tcp/%d", 514+core)
			return func() { l.Receive(name, 64, 64*256) }
		})
	})
}
