package gelf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const second = 1_000_000 // in microseconds

func chunk(id uint64, number, count int, payload string) []byte {
	b := binary.BigEndian.AppendUint64([]byte{chunkMagic0, chunkMagic1}, id)
	return append(append(b, byte(number), byte(count)), payload...)
}

// recorder keeps what a Reassembler reports.
type recorder struct{ lost []string }

func (r *recorder) report(from string, l Loss) {
	r.lost = append(r.lost, fmt.Sprintf("%s %s %d/%d", from, l.Reason, l.Chunks, l.Bytes))
}

// step is one datagram, or only the passing of time.
type step struct {
	at       int64
	from     string
	datagram []byte
}

func TestChunksBecomeMessagesOrAreReported(t *testing.T) {
	for _, tc := range []struct {
		name  string
		steps []step
		want  []string // messages
		lost  []string
	}{
		{"in order", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 2, "y")}}, []string{"xy"}, nil},
		{"in disorder", []step{{0, "a", chunk(1, 2, 3, "z")}, {0, "a", chunk(1, 0, 3, "x")}, {0, "a", chunk(1, 1, 3, "y")}}, []string{"xyz"}, nil},
		{"only one", []step{{0, "a", chunk(1, 0, 1, "x")}}, []string{"x"}, nil},
		{"with an empty one", []step{{0, "a", chunk(1, 0, 2, "")}, {0, "a", chunk(1, 1, 2, "y")}}, []string{"y"}, nil},
		{"same id, two senders", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "b", chunk(1, 0, 2, "u")}, {0, "b", chunk(1, 1, 2, "v")}, {0, "a", chunk(1, 1, 2, "y")}}, []string{"uv", "xy"}, nil},
		{"two ids", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(2, 1, 2, "v")}, {0, "a", chunk(1, 1, 2, "y")}, {0, "a", chunk(2, 0, 2, "u")}}, []string{"xy", "uv"}, nil},
		{"again while incomplete", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 2, "y")}}, []string{"xy"}, []string{"a chunk_duplicate 1/1"}},
		{"again when complete", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 2, "y")}, {0, "a", chunk(1, 1, 2, "y")}, {9 * second, "", nil}}, []string{"xy"}, []string{"a chunk_duplicate 1/1"}},
		{"a whole message again", []step{{0, "a", chunk(1, 0, 1, "x")}, {0, "a", chunk(1, 0, 1, "x")}}, []string{"x"}, []string{"a chunk_duplicate 1/1"}},
		{"an id used again", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 2, "y")}, {1, "a", chunk(1, 0, 2, "u")}, {1, "a", chunk(1, 1, 2, "v")}}, []string{"xy", "uv"}, nil},
		{"an id used again with another count", []step{{0, "a", chunk(1, 0, 1, "x")}, {1, "a", chunk(1, 0, 2, "u")}, {1, "a", chunk(1, 1, 2, "v")}}, []string{"x", "uv"}, nil},
		{"another count", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 3, "y")}, {6 * second, "", nil}}, nil, []string{"a chunk_conflict 1/1", "a chunk_expired 1/1"}},
		{"another content: the newer message counts", []step{{0, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 0, 2, "u")}, {0, "a", chunk(1, 1, 2, "v")}}, []string{"uv"}, []string{"a chunk_conflict 1/1"}},
		{"just in time", []step{{0, "a", chunk(1, 0, 2, "x")}, {5 * second, "a", chunk(1, 1, 2, "y")}}, []string{"xy"}, nil},
		{"too late", []step{{0, "a", chunk(1, 0, 2, "xx")}, {5*second + 1, "a", chunk(1, 1, 2, "y")}, {11 * second, "", nil}}, nil, []string{"a chunk_expired 1/2"}},
		{"too late, and again", []step{{0, "a", chunk(1, 0, 2, "x")}, {6 * second, "a", chunk(1, 1, 2, "y")}, {6 * second, "a", chunk(1, 1, 2, "y")}, {6 * second, "a", chunk(1, 0, 2, "x")}}, nil, []string{"a chunk_expired 1/1", "a chunk_duplicate 1/1", "a chunk_duplicate 1/1"}},
		{"an id used again after it was given up", []step{{0, "a", chunk(1, 0, 2, "x")}, {6 * second, "a", chunk(1, 0, 2, "u")}, {6 * second, "a", chunk(1, 1, 2, "v")}}, []string{"uv"}, []string{"a chunk_expired 1/1"}},
		{"nothing in one chunk", []step{{0, "a", chunk(1, 0, 1, "")}}, []string{""}, nil},
		{"the clock goes back a little", []step{{3 * second, "a", chunk(1, 0, 2, "x")}, {0, "a", chunk(1, 1, 2, "y")}}, []string{"xy"}, nil},
		{"the clock goes back a lot", []step{{99 * second, "a", chunk(1, 0, 2, "x")}, {0, "", nil}}, nil, []string{"a chunk_expired 1/1"}},
		{"message too long: reported once", []step{{0, "a", chunk(1, 0, 4, strings.Repeat("x", 60))}, {0, "a", chunk(1, 1, 4, strings.Repeat("y", 60))}, {0, "a", chunk(1, 2, 4, "z")}, {9 * second, "", nil}}, nil, []string{"a chunk_too_long 2/120"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rec recorder
			r := NewReassembler(Limits{Message: 100}, rec.report)
			var got []string
			for _, s := range tc.steps {
				if s.datagram == nil {
					r.Expire(s.at)
				} else if m := add(t, r, s.at, s.from, s.datagram); m != nil {
					got = append(got, string(m))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.lost, rec.lost); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
			r.Expire(1000 * second)
			if sets, n := r.Waiting(); sets != 0 || n != 0 || len(r.sets) != 0 || len(r.senders) != 0 || r.settled.n != 0 {
				t.Errorf("something is left for good: %d sets, %d bytes", sets, n)
			}
		})
	}
}

// add wants the datagram to be a chunk.
func add[K comparable](t testing.TB, r *Reassembler[K], now int64, from K, datagram []byte) []byte {
	t.Helper()
	m, err := r.Add(now, from, datagram)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatIsNoChunkIsNotTaken(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []byte
		want error
	}{
		{"11 bytes", chunk(1, 0, 2, "")[:11], ErrChunkHeader},
		{"magic only", chunk(1, 0, 2, "")[:2], ErrChunkHeader},
		{"count 0", chunk(1, 0, 0, "x"), ErrChunkCount},
		{"count 129", chunk(1, 0, 129, "x"), ErrChunkCount},
		{"number beyond count", chunk(1, 2, 2, "x"), ErrChunkSequence},
	} {
		var rec recorder
		d := NewDecoder(Limits{}, 100, rec.report)
		text, err := d.Decode(0, "a", tc.in)
		if !errors.Is(err, tc.want) || !bytes.Equal(text, tc.in) {
			t.Errorf("%s: %q, %v; want the datagram and %v", tc.name, text, err, tc.want)
		}
		if sets, _ := d.Waiting(); sets != 0 || rec.lost != nil {
			t.Errorf("%s: %d sets wait, reported %q", tc.name, sets, rec.lost)
		}
	}
}

func TestTheDatagramIsNotKept(t *testing.T) {
	r := NewReassembler[string](Limits{}, nil)
	d := chunk(1, 0, 2, "abc")
	r.Add(0, "a", d)
	clear(d)
	if got := string(add(t, r, 0, "a", chunk(1, 1, 2, "def"))); got != "abcdef" {
		t.Errorf("got %q", got)
	}
}

func TestTheOldestIsGivenUpFirst(t *testing.T) {
	big := strings.Repeat("x", 1000)
	for _, tc := range []struct {
		name   string
		limits Limits
		lost   []string
	}{
		{"sets of a sender", Limits{SenderSets: 2}, []string{"a chunk_sender_full 1/1000"}},
		{"bytes of a sender", Limits{SenderBytes: 4000}, []string{"a chunk_sender_full 1/1000"}},
		{"sets in all", Limits{Sets: 3}, []string{"b chunk_full 1/1000"}},
		{"bytes in all", Limits{Bytes: 6000}, []string{"b chunk_full 1/1000"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rec recorder
			r := NewReassembler(tc.limits, rec.report)
			r.Add(1, "b", chunk(1, 0, 2, big))
			r.Add(2, "a", chunk(1, 0, 2, big))
			r.Add(3, "a", chunk(2, 0, 2, big))
			r.Add(4, "a", chunk(3, 0, 2, big))
			if diff := cmp.Diff(tc.lost, rec.lost); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if m := add(t, r, 5, "a", chunk(3, 1, 2, "y")); string(m) != big+"y" {
				t.Errorf("the newest message is %.10q", m)
			}
		})
	}
}

func TestWhatIsCompleteIsForgottenBeforeAnythingIsLost(t *testing.T) {
	var rec recorder
	r := NewReassembler(Limits{Bytes: 8000}, rec.report)
	r.Add(0, "a", chunk(1, 0, 2, "x"))
	for id := range uint64(100) {
		r.Add(0, "b", chunk(100+id, 0, 1, "y"))
	}
	r.Add(0, "c", chunk(1, 0, 2, strings.Repeat("z", 2000)))
	if m := add(t, r, 0, "a", chunk(1, 1, 2, "y")); string(m) != "xy" || rec.lost != nil {
		t.Errorf("message %q, lost %q", m, rec.lost)
	}
}

func TestCloseReportsWhatIsIncomplete(t *testing.T) {
	var rec recorder
	r := NewReassembler(Limits{}, rec.report)
	r.Add(0, "a", chunk(1, 0, 3, "x"))
	r.Add(0, "a", chunk(1, 1, 3, "y"))
	r.Add(0, "b", chunk(1, 0, 1, "z"))
	r.Close()
	if diff := cmp.Diff([]string{"a chunk_stopped 2/2"}, rec.lost); diff != "" {
		t.Error(diff)
	}
	if sets, n := r.Waiting(); sets != 0 || n != 0 {
		t.Errorf("%d sets and %d bytes are left", sets, n)
	}
}

func TestAFloodOfIncompleteMessagesStaysWithinBoundsAndIsCounted(t *testing.T) {
	lost := map[Reason]int{}
	limits := Limits{Bytes: 1 << 20, Sets: 500, SenderSets: 5}
	r := NewReassembler(limits, func(_ netip.Addr, l Loss) { lost[l.Reason]++ })
	payload := strings.Repeat("x", 1400)
	for i := range 10_000 {
		from := netip.AddrFrom4([4]byte{10, 0, byte(i / 10 >> 8), byte(i / 10)})
		if m := add(t, r, int64(i), from, chunk(uint64(i), 0, 128, payload)); m != nil {
			t.Fatal("a message out of one chunk of 128")
		}
		if sets, n := r.Waiting(); sets > limits.Sets || n > limits.Bytes {
			t.Fatalf("%d sets, %d bytes", sets, n)
		}
	}
	r.Expire(100 * second)
	if got := lost[Full] + lost[SenderIsFull] + lost[Expired]; got != 10_000 || lost[Full] == 0 || lost[SenderIsFull] == 0 || lost[Expired] == 0 {
		t.Errorf("lost %v, want 10,000 in all", lost)
	}
}

func FuzzReassembler(f *testing.F) {
	f.Add(uint64(1), []byte("0a\x00\x02xx1b\x00\x01y"))
	f.Add(uint64(9), []byte("\x00\x00\x00\x00\x00\x00\x00"))
	limits := Limits{Message: 300, Bytes: 4000, Sets: 5, SenderBytes: 2500, SenderSets: 3, Lifetime: time.Second}
	f.Fuzz(func(t *testing.T, seed uint64, script []byte) {
		incomplete := 0
		r := NewReassembler(limits, func(_ byte, l Loss) {
			if l.Chunks < 1 || l.Bytes < 0 {
				t.Fatalf("loss %+v", l)
			}
			incomplete++
		})
		rnd := rand.New(rand.NewPCG(seed, 0))
		now := int64(0)
		for i := 0; i+3 < len(script); i += 4 {
			now += int64(script[i]) * 1000
			if script[i] == 255 {
				now = int64(seed % (1 << 40))
			}
			d := chunk(uint64(script[i+1]%4), int(script[i+2]), int(script[i+3]), strings.Repeat("z", rnd.IntN(120)))
			if script[i+1] > 240 {
				d = d[:rnd.IntN(len(d)-1)+2]
			}
			m, err := r.Add(now, script[i+1]>>2%3, d)
			if len(m) > limits.Message || err != nil && m != nil {
				t.Fatalf("message of %d bytes, %v", len(m), err)
			}
			sets, n := r.Waiting()
			if sets > limits.Sets || n > limits.Bytes || len(r.sets) > 2*limits.Sets || len(r.senders) > limits.Sets {
				t.Fatalf("%d sets, %d bytes, %d keys, %d senders", sets, n, len(r.sets), len(r.senders))
			}
			for _, s := range r.senders {
				if s.sets.n > limits.SenderSets || s.bytes > limits.SenderBytes {
					t.Fatalf("sender with %d sets, %d bytes", s.sets.n, s.bytes)
				}
			}
		}
		r.Close()
		if sets, n := r.Waiting(); sets != 0 || n != 0 || len(r.sets) != 0 || len(r.senders) != 0 {
			t.Fatalf("left: %d sets, %d bytes, %d keys, %d senders", sets, n, len(r.sets), len(r.senders))
		}
	})
}

// FuzzChunksInAnyOrder cuts a message, sends the chunks in any order, some twice,
// and wants the message once.
func FuzzChunksInAnyOrder(f *testing.F) {
	f.Add([]byte(plain), uint8(4), uint64(1))
	f.Fuzz(func(t *testing.T, message []byte, n uint8, seed uint64) {
		count := int(n)%maxChunks + 1
		if len(message) == 0 {
			return
		}
		r := NewReassembler(Limits{Message: len(message)}, func(_ string, l Loss) {
			if l.Reason != Duplicate {
				t.Fatalf("lost: %+v", l)
			}
		})
		rnd := rand.New(rand.NewPCG(seed, 1))
		order := append(rnd.Perm(count), rnd.IntN(count), rnd.IntN(count))
		rnd.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		size := len(message)/count + 1
		var got []string
		for _, i := range order {
			part := message[min(i*size, len(message)):min((i+1)*size, len(message))]
			if m := add(t, r, 0, "a", chunk(seed, i, count, string(part))); m != nil {
				got = append(got, string(m))
			}
		}
		if len(got) != 1 || got[0] != string(message) {
			t.Fatalf("%d messages, %q", len(got), got)
		}
	})
}

func BenchmarkReassembler(b *testing.B) {
	r := NewReassembler[netip.Addr](Limits{}, nil)
	from := netip.MustParseAddr("192.0.2.1")
	payload := strings.Repeat("x", 1400)
	var chunks [4][]byte
	for i := range chunks {
		chunks[i] = chunk(0, i, len(chunks), payload)
	}
	id := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		id++
		for _, c := range chunks {
			binary.BigEndian.PutUint64(c[2:], id)
			r.Add(int64(id), from, c)
		}
	}
}
