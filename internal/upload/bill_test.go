package upload

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/event"
)

func TestEveryRecordIsBilledInWholeStepsOf5KiB(t *testing.T) {
	for size, want := range map[int]uint64{1: 5120, 5119: 5120, 5120: 5120, 5121: 10240, 1_024_000: 1_024_000} {
		var b billing
		b.add([]event.Stored{{Record: event.Record{RawBytes: 7, Data: make([]byte, size)}}})
		if diff := cmp.Diff(Bill{Records: 1, Raw: 7, Sent: uint64(size), Billed: want}, b.load()); diff != "" {
			t.Errorf("a record of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}
