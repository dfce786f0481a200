package cwl

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestIDIsGenerationRelayShardAndSequenceIn56Digits(t *testing.T) {
	id := NewID(1763797000123, 42, 7)
	id.Set(99)
	want := "0001763797000123" + "0000000000000042" + "0007" + "00000000000000000099"
	if got := id.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIDOfNumbersTooLargeKeepsTheLowerDigits(t *testing.T) {
	id := NewID(math.MaxUint64, 12345678901234567890, 12345)
	want := "6744073709551615" + "5678901234567890" + "2345" + strings.Repeat("0", 20)
	if got := id.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestIDCountedUpEqualsIDWrittenAnew(t *testing.T) {
	const top = math.MaxUint64
	starts := []uint64{0, 5, 9, 98, 999_999_999, 1<<32 - 3, top - 20}
	for _, start := range starts {
		id := NewID(1, 2, 3)
		for i := range uint64(18) {
			seq := start + i
			id.Set(seq)
			want := fmt.Sprintf("%016d%016d%04d%020d", 1, 2, 3, seq)
			if got := id.String(); got != want {
				t.Fatalf("sequence %d: got %s, want %s", seq, got, want)
			}
		}
	}
}

func TestIDTakesAnySequenceInAnyOrder(t *testing.T) {
	id := NewID(1, 2, 3)
	for _, seq := range []uint64{7, 7, 8, 6, 0, 1, math.MaxUint64, 0, 1} {
		id.Set(seq)
		if got, want := id.String()[36:], fmt.Sprintf("%020d", seq); got != want {
			t.Errorf("sequence %d: got %s", seq, got)
		}
	}
}

func TestIDsCompareAsTheirSequencesDo(t *testing.T) {
	id := NewID(1763797000123, 1, 0)
	previous := id.String()
	for seq := range uint64(10_001) {
		id.Set(seq + 1)
		if id.String() <= previous {
			t.Fatalf("%s is not greater than %s", id.String(), previous)
		}
		previous = id.String()
	}
}
