package listen

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const gelfText = `{"version":"1.1","host":"a","short_message":"b","timestamp":1385053862.3072}`

func compressed(t testing.TB, w func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := w(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zlibbed(t testing.TB, text string) string {
	return compressed(t, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, text)
}

func gzipped(t testing.TB, text string) string {
	return compressed(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, text)
}

func chunk(id uint64, number, count int, payload string) string {
	b := binary.BigEndian.AppendUint64([]byte("\x1e\x0f"), id)
	return string(append(b, byte(number), byte(count))) + payload
}

// chunks cuts a text into a number of chunks.
func chunks(id uint64, count int, text string) (datagrams []string) {
	size := len(text)/count + 1
	for i := range count {
		datagrams = append(datagrams, chunk(id, i, count, text[min(i*size, len(text)):min((i+1)*size, len(text))]))
	}
	return datagrams
}

// injector gives datagrams to a receiver without a socket, from any address, at
// any time.
type injector struct {
	t testing.TB
	*receiver
}

func newInjector(t testing.TB, opts UDPOptions) *injector {
	t.Helper()
	l, err := NewUDP(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &injector{t, newReceiver(l, l.sockets[0])}
}

func (i *injector) inject(now int64, from netip.Addr, datagrams ...string) {
	i.t.Helper()
	for len(datagrams) > 0 {
		n := min(batchSize, len(datagrams))
		for k, d := range datagrams[:n] {
			copy(i.batch.buffers[k*datagramSize:][:datagramSize], d)
			h := &i.batch.headers[k]
			h.Len = uint32(len(d))
			h.Hdr.SetControllen(0)
			*(*unix.RawSockaddrInet4)(unsafe.Pointer(&i.batch.names[k])) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: from.As4()}
		}
		i.take(context.Background(), n, now)
		i.gelf.expire(now)
		datagrams = datagrams[n:]
	}
}

var someone = netip.MustParseAddr("192.0.2.7")

const second = 1_000_000 // microseconds

// undecoded returns the counters by reason, without those that are 0.
func (e *env) undecoded(t *testing.T) map[string]float64 {
	t.Helper()
	counts := map[string]float64{}
	for _, reason := range []string{"chunk_header", "chunk_count", "chunk_sequence", "damaged"} {
		if n := e.metric(t, "kinesyslog_gelf_undecoded_total", reason); n > 0 {
			counts[reason] = n
		}
	}
	return counts
}

func TestGELFAmongSyslogDatagramsIsRecognised(t *testing.T) {
	whole := zlibbed(t, gelfText)
	damaged := whole[:len(whole)-3] + "\n\x00\n" // its end is no line ending
	noGELF := `{"host":"a","message":"b","timestamp":1}`
	for _, tt := range []struct {
		name         string
		in           []string
		syslog, gelf []string
		undecoded    map[string]float64
	}{
		{name: "plain", in: []string{gelfText + "\n\x00"}, gelf: []string{gelfText}},
		{name: "zlib", in: []string{whole}, gelf: []string{gelfText}},
		{name: "gzip", in: []string{gzipped(t, gelfText+"\n")}, gelf: []string{gelfText}},
		{name: "chunks", in: chunks(1, 3, gelfText), gelf: []string{gelfText}},
		{name: "compressed, in chunks", in: chunks(1, 3, whole), gelf: []string{gelfText}},
		{name: "cut off", in: []string{gelfText[:50]}, gelf: []string{gelfText[:50]}},
		{name: "other JSON in chunks: who else sends chunks", in: chunks(1, 3, noGELF), gelf: []string{noGELF}},
		{name: "other JSON", in: []string{noGELF, "{}", "{"}, syslog: []string{noGELF, "{}", "{"}},
		{name: "syslog", in: []string{"<1>x", "xinetd: y", "\x1e<1>"}, syslog: []string{"<1>x", "xinetd: y", "\x1e<1>"}},
		{name: "GELF behind a syslog header", in: []string{"<1>1 - - - - - - " + gelfText}, syslog: []string{"<1>1 - - - - - - " + gelfText}},
		{name: "text that begins like zlib", in: []string{"x^4 is a power\n"}, syslog: []string{"x^4 is a power\n"}, undecoded: map[string]float64{"damaged": 1}},
		{name: "damaged: as it came", in: []string{damaged}, syslog: []string{damaged}, undecoded: map[string]float64{"damaged": 1}},
		{name: "damaged, in chunks", in: chunks(1, 2, damaged), syslog: []string{damaged}, undecoded: map[string]float64{"damaged": 1}},
		{
			name:   "no chunks: as they came",
			in:     []string{chunk(1, 0, 0, "a\n"), chunk(1, 0, 129, "b"), chunk(1, 2, 2, "c"), chunk(1, 0, 2, "")[:11]},
			syslog: []string{chunk(1, 0, 0, "a\n"), chunk(1, 0, 129, "b"), chunk(1, 2, 2, "c"), chunk(1, 0, 2, "")[:11]}, undecoded: map[string]float64{"chunk_header": 1, "chunk_count": 2, "chunk_sequence": 1},
		},
		{name: "nothing in it", in: []string{zlibbed(t, ""), chunk(1, 0, 1, ""), ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, format := range []string{formatSyslog, formatGELF} {
				e := newEnv()
				e.journal.books = e.ledger
				i := newInjector(t, e.udp(UDPOptions{Format: format}))
				i.inject(second, someone, tt.in...)
				i.gelf.close()
				if format == formatGELF {
					if d := cmp.Diff(len(tt.syslog)+len(tt.gelf), len(e.journal.ofFormat(formatGELF))); d != "" {
						t.Errorf("on a listener for GELF: messages (-want +got):\n%s", d)
					}
				} else {
					if d := cmp.Diff(tt.syslog, e.journal.ofFormat(formatSyslog)); d != "" {
						t.Errorf("syslog (-want +got):\n%s", d)
					}
					if d := cmp.Diff(tt.gelf, e.journal.ofFormat(formatGELF)); d != "" {
						t.Errorf("GELF (-want +got):\n%s", d)
					}
					if n := e.metric(t, "kinesyslog_gelf_recognised_total", ""); tt.name != "nothing in it" && int(n) != len(tt.gelf) {
						t.Errorf("%v recognised, want %d", n, len(tt.gelf))
					}
				}
				want := tt.undecoded
				if want == nil {
					want = map[string]float64{}
				}
				if d := cmp.Diff(want, e.undecoded(t)); d != "" {
					t.Errorf("undecoded (-want +got):\n%s", d)
				}
				empty := map[string]uint64{}
				if tt.name == "nothing in it" {
					empty["empty"] = 3
				}
				if b := e.balance(t); b.Difference() != 0 || !cmp.Equal(empty, b.Dropped) {
					t.Errorf("ledger: %+v", b)
				}
			}
		})
	}
}

func TestListenerForGELFTakesTextOfAnyKindUnaltered(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Format: formatGELF}))
	conn := dial(t, "udp", l.Addr().String())
	texts := []string{gelfText, "<13>no GELF", `{"a":1}`, "{ \"short_message\" : \"b\\u0000\" }"}
	send(t, conn, texts...)
	e.journal.wait(t, len(texts))
	if d := cmp.Diff(texts, e.journal.ofFormat(formatGELF)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	for _, src := range e.journal.sources {
		if src.Listener != l.Name() || src.Address != "127.0.0.1" {
			t.Errorf("source is %+v", src)
		}
	}
}

func TestMessageThatLacksChunksIsDroppedOnceAndBooked(t *testing.T) {
	e := newEnv()
	e.journal.books = e.ledger
	l, err := NewUDP(e.udp(UDPOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newReceiver(l, l.sockets[0])
	clock := int64(100 * second)
	r.now = func() int64 { return clock }
	conn := dial(t, "udp", l.Addr().String())
	step := func(datagrams ...string) {
		t.Helper()
		send(t, conn, datagrams...)
		if _, err := r.step(context.Background(), unix.MSG_DONTWAIT); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, received uint64, dropped map[string]uint64, waiting int) {
		t.Helper()
		b := e.balance(t)
		if b.Received != received || b.Difference() != 0 || !cmp.Equal(dropped, b.Dropped) {
			t.Errorf("%s: ledger %+v, want %d received, dropped %v", when, b, received, dropped)
		}
		if n := e.metric(t, "kinesyslog_gelf_incomplete_messages", ""); int(n) != waiting {
			t.Errorf("%s: %v messages wait for chunks, want %d", when, n, waiting)
		}
	}
	step(chunk(1, 0, 3, "x"), chunk(1, 1, 3, "y"), chunk(2, 0, 2, gelfText[:20]))
	check("at once", 0, map[string]uint64{}, 2)
	clock += 4 * second
	step(chunk(2, 1, 2, gelfText[20:]), "<13>a")
	check("after 4 s", 2, map[string]uint64{}, 1)
	clock += 2 * second
	step() // nothing comes, but the time passes
	check("after 6 s", 3, map[string]uint64{"gelf_chunk_expired": 1}, 0)
	step(chunk(1, 2, 3, "z"))
	clock += 20 * second
	step()
	check("its last chunk comes late", 3, map[string]uint64{"gelf_chunk_expired": 1}, 0)
	step(chunk(3, 0, 2, "x"), chunk(3, 0, 2, "x"))
	r.gelf.close()
	check("at the end", 4, map[string]uint64{"gelf_chunk_expired": 1, "gelf_chunk_stopped": 1}, 0)
	if n := e.metric(t, "kinesyslog_gelf_duplicate_chunks_total", ""); n != 1 {
		t.Errorf("%v duplicates, want 1", n)
	}
	if d := cmp.Diff([]string{gelfText}, e.journal.ofFormat(formatGELF)); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if got := e.log.String(); !strings.Contains(got, "chunk_expired") {
		t.Errorf("the log does not tell of it:\n%s", got)
	}
}

func TestRunGivesUpWhatIsIncompleteAtTheEnd(t *testing.T) {
	e := newEnv()
	e.journal.books = e.ledger
	l, stop := startUDP(t, e.udp(UDPOptions{}))
	send(t, dial(t, "udp", l.Addr().String()), chunk(1, 0, 2, "x"), "<13>a")
	e.journal.wait(t, 1)
	stop()
	if b := e.balance(t); b.Received != 2 || b.Dropped["gelf_chunk_stopped"] != 1 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
}

func TestChunksOfManySendersFindEachOtherOnSeveralSockets(t *testing.T) {
	e := newEnv()
	l, _ := startUDP(t, e.udp(UDPOptions{Address: "0.0.0.0", Sockets: 3}))
	const senders, each = 40, 5
	var want []message
	for s := range senders {
		ip := net.IPv4(127, 0, 2, byte(s))
		dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: ip}}
		conn, err := dialer.Dial("udp", onPort("127.0.0.1", l.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for i := range each {
			text := fmt.Sprintf(`{"host":"%d","short_message":"%d"}`, s, i)
			want = append(want, message{ip.String(), text})
			send(t, conn, chunks(uint64(i), 3, zlibbed(t, text))...) // the same ids for all senders
		}
	}
	got := map[message]int{}
	for _, m := range e.journal.wait(t, len(want)) {
		got[m]++
	}
	for _, m := range want {
		if got[m] != 1 {
			t.Errorf("%v came %d times", m, got[m])
		}
	}
}

func TestGELFDatagramsAllocateNothing(t *testing.T) {
	for name, text := range map[string]string{"plain": gelfText, "other JSON": `{"host":"a","message":"b"}`} {
		r, n := filledReceiver(t, text)
		ctx := context.Background()
		if allocs := testing.AllocsPerRun(100, func() { r.take(ctx, n, second) }); allocs != 0 {
			t.Errorf("%s: %v allocations for %d datagrams, want 0", name, allocs, n)
		}
	}
}
