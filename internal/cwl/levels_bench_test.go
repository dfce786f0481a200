package cwl

import (
	"fmt"
	"testing"
)

// BenchmarkLevel is what each gzip level costs and brings for a full document:
// what --compression auto chooses among. bytes/msg is what is shipped for a
// message of 256 bytes.
func BenchmarkLevel(b *testing.B) {
	const events = 8000
	lines, stamps := logLines(events)
	id := NewID(1771708070000, 8123456789012345, 3)
	for level := 1; level <= 9; level++ {
		b.Run(fmt.Sprint(level), func(b *testing.B) {
			builder := newBuilder(b, level)
			benchmarkLines(b, events, func() int {
				builder.Open("123456789012", "/kinesyslog/syslog/514", "192.0.2.7")
				for i, line := range lines {
					id.Set(uint64(i))
					if !builder.Add(&id, stamps[i], nil, line) {
						b.Fatal("document full")
					}
				}
				return len(mustClose(b, builder))
			})
		})
	}
}
