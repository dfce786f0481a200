package upload

import (
	"encoding/base64"
	"math/rand/v2"
	"testing"
)

func TestBase64IsThatOfTheStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(random.Uint32())
		}
		got := appendBase64([]byte("before"), src)
		if want := "before" + base64.StdEncoding.EncodeToString(src); string(got) != want {
			t.Fatalf("%d bytes: got %q, want %q", n, got, want)
		}
	}
}

func BenchmarkBase64(b *testing.B) {
	src := make([]byte, 450_000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range src {
		src[i] = byte(random.Uint32())
	}
	dst := make([]byte, 0, base64.StdEncoding.EncodedLen(len(src)))
	for name, encode := range map[string]func(dst, src []byte) []byte{
		"ours": appendBase64, "encoding-base64": base64.StdEncoding.AppendEncode,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				dst = encode(dst[:0], src)
			}
		})
	}
}
