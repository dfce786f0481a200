package event

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSourceIsReadBackFromItsKey(t *testing.T) {
	for _, want := range []*Source{
		NewSource("tcp/514", "syslog", "514", "192.0.2.7"),
		NewSource("udp/12201", "gelf", "12201", "2001:db8::1"),
		NewSource("", "", "", ""),
	} {
		got, err := ParseSource(want.Key())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Source{})); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := ParseSource("tcp/514\x00syslog"); err == nil {
		t.Error("half a key is taken for a source")
	}
}

func TestBlockYieldsItsTextsWithNumbersThatCountUp(t *testing.T) {
	want := []string{"one", "", "a\x00b\n", string(make([]byte, 300))}
	b := Block{First: 40, Count: len(want)}
	for _, text := range want {
		b.Texts = AppendText(b.Texts, []byte(text))
	}
	var got []string
	next := b.First
	for seq, text := range b.All() {
		if seq != next {
			t.Errorf("number %d follows %d", seq, next-1)
		}
		next++
		got = append(got, string(text))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzBlockOfAnyBytesEndsEarlyInsteadOfPanicking(f *testing.F) {
	f.Add(AppendText(AppendText(nil, []byte("one")), []byte("two")), 2)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 1)
	f.Fuzz(func(t *testing.T, texts []byte, count int) {
		b := Block{Count: min(max(count, 0), 1<<16), Texts: texts}
		n, bytes := 0, 0
		for _, text := range b.All() {
			n++
			bytes += 1 + len(text)
		}
		if n > b.Count || bytes > len(texts) {
			t.Fatalf("%d texts of %d bytes came of %d of %d", n, bytes, b.Count, len(texts))
		}
	})
}
