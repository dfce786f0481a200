package event

import (
	"strings"
	"testing"
)

func TestNamesOfLogStreamsAreMadeSafe(t *testing.T) {
	for name, want := range map[string]string{
		"fw1.example.com":                   "fw1.example.com",
		"":                                  "",
		"2001:db8::1":                       "2001_db8__1",
		"a*b":                               "a_b",
		"a\x00b\nc\x7f":                     "a_b_c_",
		"a b":                               "a b",
		"b\u00fccher":                       "b\u00fccher",
		"\xff\ufffd":                        "_\ufffd",
		strings.Repeat("a", 513):            strings.Repeat("a", 512),
		strings.Repeat("\u00fc", 600):       strings.Repeat("\u00fc", 512),
		strings.Repeat("\u00fc", 500) + "x": strings.Repeat("\u00fc", 500) + "x",
	} {
		if got := SafeStream(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestASourceWithANameIsReadBackFromItsKey(t *testing.T) {
	plain := NewSource("tls/6514", "syslog", "6514", "192.0.2.7")
	if plain.Named("") != plain || plain.LogStream() != "192.0.2.7" || strings.Count(plain.Key(), "\x00") != 3 {
		t.Errorf("without a name: %+v", plain)
	}
	named := plain.Named("CN: fw1")
	if named.LogStream() != "CN_ fw1" || named.Address != "192.0.2.7" || plain.Stream != "" {
		t.Errorf("%+v of %+v", named, plain)
	}
	if other := named.Named("fw2"); other.LogStream() != "fw2" || other.Key() != plain.Named("fw2").Key() {
		t.Errorf("named again: %+v", other)
	}
	again, err := ParseSource(named.Key())
	if err != nil || *again != *named {
		t.Errorf("%+v, error %v; want %+v", again, err, named)
	}
	if _, err := ParseSource(named.Key() + "\x00more"); err == nil {
		t.Error("six parts are taken for a source")
	}
}

func TestTextsAreFoundByTheirOffsets(t *testing.T) {
	b := Block{Count: 3}
	for _, text := range []string{"one", "", strings.Repeat("x", 300)} {
		b.Texts = AppendText(b.Texts, []byte(text))
	}
	offset := 0
	for _, want := range b.All() {
		text, next, ok := b.Text(offset)
		if !ok || string(text) != string(want) {
			t.Fatalf("at %d: %q, %v; want %q", offset, text, ok, want)
		}
		offset = next
	}
	if _, _, ok := b.Text(offset); ok {
		t.Error("a text follows the last")
	}
	b.Texts = b.Texts[:len(b.Texts)-1]
	if _, _, ok := b.Text(5); ok {
		t.Error("a text that is cut short is taken for one")
	}
}
