package cwl

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func FuzzBuilderOutputReadsBack(f *testing.F) {
	f.Add(6, "g", "s", []byte("head "), []byte("text"), uint16(3), int64(1763797000123))
	f.Add(1, "", "\xff", []byte{}, []byte("\x00\"\\\xed\xa0\x80\u20ac"), uint16(600), int64(-1))
	f.Add(9, "/a", "::1", []byte("\xc3"), bytes.Repeat([]byte{0xff, 0x1f, 'a'}, 3000), uint16(40), int64(1<<62))
	builders := map[int]*Builder{}
	for level := 1; level <= 9; level++ {
		builders[level] = newBuilder(f, level)
	}
	f.Fuzz(func(t *testing.T, level int, group, stream string, header, text []byte, count uint16, timestamp int64) {
		b := builders[int(uint(level)%9)+1]
		b.Open("", group, stream)
		id := NewID(uint64(timestamp), 2, 3)
		added := 0
		for i := range int(count)%1000 + 1 {
			id.Set(uint64(i))
			if !b.Add(&id, timestamp, header, text[i%(len(text)+1):]) {
				break
			}
			added++
		}
		if added == 0 && len(header)+len(text) <= MaxText && len(group)+len(stream) < 512 {
			t.Fatal("a short text was refused")
		}
		if added == 0 {
			return
		}
		doc := read(t, mustClose(t, b))
		if len(doc.LogEvents) != added || doc.LogGroup == "" || doc.LogStream == "" || doc.Owner == "" {
			t.Fatalf("document of group %q, stream %q, owner %q with %d events, want %d", doc.LogGroup, doc.LogStream, doc.Owner, len(doc.LogEvents), added)
		}
		previous := ""
		for i, event := range doc.LogEvents {
			want := expected(header) + expected(text[i%(len(text)+1):])
			if event.Message != want {
				t.Fatalf("event %d is %q, want %q", i, event.Message, want)
			}
			if event.ID <= previous || len(event.ID) != 56 {
				t.Fatalf("id %s after %s", event.ID, previous)
			}
			previous = event.ID
			if event.Timestamp < minTimestamp || event.Timestamp > maxTimestamp {
				t.Fatalf("timestamp %d", event.Timestamp)
			}
		}
	})
}

func FuzzDecoderTakesAnyBytes(f *testing.F) {
	one := record(f, "a", "b")
	f.Add(one)
	f.Add(join(one[:20], one, []byte("{"), inflate(f, one)))
	f.Add(gzipped(f, join(one, one[:9], one)))
	f.Add([]byte(`{"messageType":"D","logEvents":[null,{}]}[]`))
	f.Fuzz(func(t *testing.T, object []byte) {
		previous := int64(-1)
		for d := NewDecoder(bytes.NewReader(object)); ; {
			_, err := d.Next()
			var damage *DamageError
			if err == io.EOF {
				return
			}
			if err == nil {
				continue
			}
			if !errors.As(err, &damage) {
				t.Fatalf("an error that is neither damage nor the end: %v", err)
			}
			if damage.Offset < previous || damage.Offset >= int64(len(object)) {
				t.Fatalf("damage at %d of %d bytes after damage at %d", damage.Offset, len(object), previous)
			}
			if d.inner == nil {
				previous = damage.Offset + 1
			}
		}
	})
}

// Whatever stands before a record, it is read.
func FuzzDecoderFindsTheRecordAfterAnyBytes(f *testing.F) {
	after := record(f, "the record after")
	f.Add([]byte("{\"messageType\":\"\\"))
	f.Add(after[:len(after)-1])
	f.Add([]byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, before []byte) {
		got := decoded(t, bytes.NewReader(join(before, after)))
		if len(got) == 0 || got[len(got)-1] != "the record after" {
			t.Fatalf("%q", got)
		}
	})
}
