package yardstick

import "testing"

// BenchmarkShared does something that shares nothing: it takes half of the time
// on two cores if the machine has two to spare, and only then do other
// benchmarks of this kind mean something.
func BenchmarkShared(b *testing.B) {
	b.Run("nothing", func(b *testing.B) {
		Together(b, func(int) func() {
			x := uint64(1)
			return func() {
				for range 16 {
					x = x*6364136223846793005 + 1
				}
			}
		})
	})
}
