package deflate

import (
	"math/rand/v2"
	"testing"
)

func TestAssemblyChoosesAsGoDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	w := &window{}
	for range 20 {
		for i := range w.memory {
			w.memory[i] = byte('a' + r.IntN(2)*r.IntN(3)) // long matches are frequent
		}
		for range 5000 {
			pos := before + r.IntN(windowSize-slack-before+further+1)
			b, b1 := r.Uint64(), r.Uint64()
			k, k1 := best2(w, pos, b, b1)
			wantK, wantK1 := best2Go(w, pos, b, b1)
			if k != wantK || k1 != wantK1 {
				t.Fatalf("position %d, buckets %x and %x: %x and %x, want %x and %x", pos, b, b1, k, k1, wantK, wantK1)
			}
			length, distance := ranked(k)
			if length < 0 || length > seen || distance < 1 || distance > maxDistance {
				t.Fatalf("length %d, distance %d", length, distance)
			}
		}
	}
}
