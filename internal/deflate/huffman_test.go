package deflate

import (
	"math/rand/v2"
	"testing"
)

// A code that is not complete is refused by some decoders, one that is more
// than complete by all.
func TestCodesAreCompleteAndWithinTheirLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fibonacci := func(n int) []uint32 {
		counts := make([]uint32, n)
		for i, a, b := 0, uint32(1), uint32(1); i < n; i, a, b = i+1, b, a+b {
			counts[i] = a
		}
		return counts
	}
	random := func(n, most int) []uint32 {
		counts := make([]uint32, n)
		for i := range counts {
			counts[i] = uint32(r.IntN(most) * r.IntN(2) * (1 + r.IntN(most)))
		}
		return counts
	}
	cases := [][]uint32{
		make([]uint32, 30), {5, 0, 0}, {0, 0, 7}, {1, 1}, {1, 0, 1, 0}, fibonacci(19), fibonacci(30), fibonacci(40),
	}
	for range 300 {
		cases = append(cases, random(19, 3), random(30, 1000), random(286, 60))
	}
	for _, counts := range cases {
		for _, limit := range []int{7, 15} {
			if len(counts) > 1<<limit {
				continue
			}
			lengths := make([]uint8, len(counts))
			codeLengths(counts, limit, lengths)
			used := 0
			for symbol, length := range lengths {
				if int(length) > limit {
					t.Fatalf("counts %v: symbol %d has %d bits, limit %d", counts, symbol, length, limit)
				}
				if counts[symbol] > 0 && length == 0 {
					t.Fatalf("counts %v: symbol %d has no code", counts, symbol)
				}
				if length > 0 {
					used += 1 << (limit - int(length))
				}
			}
			if used != 1<<limit {
				t.Errorf("counts %v, limit %d: lengths %v are not a complete code", counts, limit, lengths)
			}
			for a := range counts {
				for b := range counts {
					if counts[a] > counts[b] && counts[b] > 0 && lengths[a] > lengths[b] {
						t.Fatalf("counts %v: %d is more frequent than %d and has the longer code", counts, a, b)
					}
				}
			}
		}
	}
}

func TestACodeTakesNoMoreThanTheEntropyAndABit(t *testing.T) {
	counts := []uint32{1, 2, 4, 8, 16, 32, 64, 128}
	lengths := make([]uint8, len(counts))
	codeLengths(counts, maxCodeBits, lengths)
	// Powers of two have codes that are exact: 1 for the half, 2 for the quarter.
	for i, want := range []uint8{7, 7, 6, 5, 4, 3, 2, 1} {
		if lengths[i] != want {
			t.Errorf("lengths %v", lengths)
			break
		}
	}
}
