package gelf

import (
	"errors"
	"testing"
)

func TestDecodeHandsOnWhatCannotBeInflated(t *testing.T) {
	whole := zlibbed(t, plain, 6)
	damaged := whole[:len(whole)-5]
	for _, tc := range []struct {
		name string
		in   []byte
		want string
		err  error
	}{
		{"plain", []byte(plain), plain, nil},
		{"not GELF at all", []byte("<34>hello"), "<34>hello", nil},
		{"compressed", whole, plain, nil},
		{"compressed in a chunk", chunk(1, 0, 1, string(gzipped(t, plain))), plain, nil},
		{"damaged: as it came", damaged, string(damaged), ErrDamaged},
		{"damaged in a chunk: as it came", chunk(2, 0, 1, string(damaged)), string(damaged), ErrDamaged},
		{"too long: its head", zlibbed(t, plain+plain, 6), (plain + plain)[:len(plain)], ErrTooLong},
		{"chunk in a chunk: as it came", chunk(3, 0, 1, string(chunk(4, 0, 1, plain))), string(chunk(4, 0, 1, plain)), nil},
		{"incomplete", chunk(5, 0, 2, plain), "", nil},
		{"empty", nil, "", nil},
	} {
		d := NewDecoder[string](Limits{}, len(plain), nil)
		got, err := d.Decode(0, "a", tc.in)
		if string(got) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
}

func TestDecoderReportsWhatIsIncompleteAtTheEnd(t *testing.T) {
	var rec recorder
	d := NewDecoder(Limits{}, 1000, rec.report)
	d.Decode(0, "a", chunk(1, 0, 2, "x"))
	d.Expire(6 * second)
	d.Decode(7*second, "a", chunk(2, 0, 2, "x"))
	if sets, n := d.Waiting(); sets != 1 || n == 0 {
		t.Errorf("%d sets, %d bytes", sets, n)
	}
	d.Close()
	if len(rec.lost) != 2 || rec.lost[0] != "a chunk_expired 1/1" || rec.lost[1] != "a chunk_stopped 1/1" {
		t.Errorf("reported %q", rec.lost)
	}
}
