package gelf

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"strings"
	"testing"
)

const plain = `{"version":"1.1","host":"example.org","short_message":"A short message","full_message":"Backtrace here\n\nmore stuff","timestamp":1385053862.3072,"level":1,"_user_id":9001}`

func zlibbed(t testing.TB, text string, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func TestGELFIsRecognisedAmongOtherMessages(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []byte
		want Kind
	}{
		{"plain", []byte(plain), JSON},
		{"without version", []byte(`{"host":"a","short_message":"b"}`), JSON},
		{"without host", []byte(` {"short_message":"b","version":"1.1"}`)[1:], JSON},
		{"keys in another order, spaces, line breaks", []byte("{\n \"short_message\" : \"b\",\n \"host\" : \"a\" }"), JSON},
		{"key written with an escape", []byte(`{"h\u006fst":"a","short_message":"b"}`), JSON},
		{"cut off in the value of its last key", []byte(`{"host":"a","short_message":"b`), JSON},
		{"cut off in its last key", []byte(`{"host":"a","short_messag`), None},
		{"cut off later", []byte(`{"host":"a","short_message":"b","x":"`), JSON},
		{"other JSON", []byte(`{"host":"a","message":"b","timestamp":1}`), None},
		{"keys further in only", []byte(`{"gelf":{"host":"a","short_message":"b"}}`), None},
		{"keys as values only", []byte(`{"a":"host","b":"short_message"}`), None},
		{"short_message alone", []byte(`{"short_message":"b"}`), None},
		{"empty object", []byte(`{}`), None},
		{"one brace", []byte(`{`), None},
		{"chunk", []byte("\x1e\x0f12345678\x00\x02abc"), Chunk},
		{"chunk without all of its header", []byte("\x1e\x0f1"), Chunk},
		{"zlib, no compression", zlibbed(t, plain, 0), Zlib},
		{"zlib, fastest", zlibbed(t, plain, 1), Zlib},
		{"zlib, usual", zlibbed(t, plain, 6), Zlib},
		{"zlib, best", zlibbed(t, plain, 9), Zlib},
		{"gzip", gzipped(t, plain), Gzip},
		{"syslog", []byte("<34>1 - - - - - -"), None},
		{"text that begins with x", []byte("xinetd[5]: started"), None},
		{"text that begins like zlib", []byte("x^n is not compressed"), None},
		{"record separator", []byte("\x1e<34>"), None},
		{"unit separator", []byte("\x1f<34>"), None},
		{"one byte", []byte("\x1e"), None},
		{"empty", nil, None},
	} {
		if got := Looks(tc.in); got != tc.want {
			t.Errorf("%s: Looks(%.40q) = %d, want %d", tc.name, tc.in, got, tc.want)
		}
	}
}

func TestRecognisingAllocatesNothing(t *testing.T) {
	for _, in := range [][]byte{[]byte(plain), zlibbed(t, plain, 6), []byte("<34>Oct 11 22:14:15 mymachine su: x")} {
		if n := testing.AllocsPerRun(100, func() { Looks(in) }); n != 0 {
			t.Errorf("%v allocations for %.20q", n, in)
		}
	}
}

func BenchmarkLooks(b *testing.B) {
	for _, bc := range []struct {
		name string
		in   []byte
	}{
		{"syslog", []byte("<34>Oct 11 22:14:15 mymachine su: 'su root' failed")},
		{"GELF", []byte(plain)},
		{"other JSON", []byte(`{"a":"` + strings.Repeat("x", 300) + `","time":"2024-01-01T00:00:00Z","n":[1,2,3]}`)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Looks(bc.in)
			}
		})
	}
}
