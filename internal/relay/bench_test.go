package relay

import (
	"testing"

	"kinesyslog/internal/yardstick"
)

// BenchmarkShared is how a commit asks for room on the disk and takes it.
func BenchmarkShared(b *testing.B) {
	b.Run("room_on_the_disk", func(b *testing.B) {
		room := newBudget(1<<60, 32<<20)
		yardstick.Together(b, func(int) func() {
			return func() {
				if !room.Full() {
					room.Use(1)
				}
			}
		})
	})
}
