package gelf

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
)

func TestCompressedMessagesAreInflated(t *testing.T) {
	f := NewInflater(len(plain)) // just enough
	for range 3 {
		for _, in := range [][]byte{zlibbed(t, plain, 9), gzipped(t, plain), zlibbed(t, plain, 0)} {
			got, err := f.Inflate(magic(in), in)
			if err != nil || string(got) != plain {
				t.Fatalf("%q, %v", got, err)
			}
		}
	}
}

func TestATextThatIsTooLongIsCut(t *testing.T) {
	f := NewInflater(len(plain) - 1)
	for _, in := range [][]byte{zlibbed(t, plain, 9), gzipped(t, plain)} {
		got, err := f.Inflate(magic(in), in)
		if !errors.Is(err, ErrTooLong) || string(got) != plain[:len(plain)-1] {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestDamageIsReportedAndDoesNotLast(t *testing.T) {
	whole := zlibbed(t, plain, 9)
	wrongSum := bytes.Clone(whole)
	wrongSum[len(wrongSum)-1] ^= 1
	zip := gzipped(t, plain)
	f := NewInflater(1000)
	for _, tc := range []struct {
		name string
		in   []byte
	}{
		{"cut off", whole[:len(whole)/2]},
		{"without its checksum", whole[:len(whole)-4]},
		{"wrong checksum", wrongSum},
		{"header only", []byte("x\x9c")},
		{"gzip cut off", zip[:len(zip)/2]},
		{"gzip header cut off", zip[:6]},
		{"gzip with an unknown method", []byte("\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"zlib with a preset dictionary", []byte("x\xbb\x00\x00\x00\x00\x00")},
	} {
		kind := Zlib
		if tc.in[0] == gzipMagic0 {
			kind = Gzip
		}
		if _, err := f.Inflate(kind, tc.in); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got, err := f.Inflate(Zlib, whole); err != nil || string(got) != plain {
			t.Errorf("after %s: %q, %v", tc.name, got, err)
		}
		if got, err := f.Inflate(Gzip, zip); err != nil || string(got) != plain {
			t.Errorf("after %s: %q, %v", tc.name, got, err)
		}
	}
	if _, err := f.Inflate(JSON, []byte(plain)); err == nil {
		t.Error("JSON was inflated")
	}
}

func TestABombCostsNoMoreThanTheLimit(t *testing.T) {
	bomb := gzipped(t, strings.Repeat("0", 16<<20))
	f := NewInflater(1 << 20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		if got, err := f.Inflate(Gzip, bomb); !errors.Is(err, ErrTooLong) || len(got) != 1<<20 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes allocated for a limit of 1 MiB", grown)
	}
}

func FuzzInflate(f *testing.F) {
	f.Add(zlibbed(f, plain, 6), uint16(1000))
	f.Add(gzipped(f, plain), uint16(10))
	f.Add([]byte("x\x01\x00\x00\x00\xff\xff"), uint16(0))
	in := NewInflater(0)
	f.Fuzz(func(t *testing.T, b []byte, limit uint16) {
		in.limit = int(limit)
		in.out = nil
		for _, kind := range []Kind{Zlib, Gzip} {
			got, err := in.Inflate(kind, b)
			if len(got) > int(limit) || cap(in.out) > int(limit)+1 {
				t.Fatalf("%d bytes (room for %d), limit %d", len(got), cap(in.out), limit)
			}
			if err != nil && !errors.Is(err, ErrTooLong) && !errors.Is(err, ErrDamaged) {
				t.Fatalf("error of no known kind: %v", err)
			}
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	in := zlibbed(b, plain, 6)
	f := NewInflater(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Inflate(Zlib, in); err != nil {
			b.Fatal(err)
		}
	}
}
