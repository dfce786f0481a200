package listen

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"kinesyslog/internal/gelf"
)

// heap returns the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestTenThousandIncompleteMessagesOfAThousandSendersStayWithinBounds(t *testing.T) {
	e := newEnv()
	e.journal.books = e.ledger
	i := newInjector(t, e.udp(UDPOptions{}))
	const senders, each = 1000, 10
	payload := strings.Repeat("x", 8000)
	before, most := heap(), int64(0)
	for n := range senders * each {
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], 10<<24|uint32(n%senders))
		i.inject(second+int64(n), netip.AddrFrom4(ip), chunk(uint64(n), 0, 128, payload))
		if n%2000 == 1999 {
			most = max(most, heap()-before)
		}
	}
	sent, limit := int64(senders*each*len(payload)), int64(gelfLimits(1).Bytes)
	t.Logf("%.1f MiB sent, %.1f MiB held at most, %.2f of the limit", float64(sent)/(1<<20), float64(most)/(1<<20), float64(most)/float64(limit))
	if most > limit*5/4 {
		t.Errorf("%d bytes are held, the limit is %d", most, limit)
	}
	// Whoever sends all of a message meanwhile is still heard.
	i.inject(2*second, someone, chunks(1, 5, gelfText)...)
	if got := e.journal.ofFormat(formatGELF); len(got) != 1 || got[0] != gelfText {
		t.Errorf("of a whole message came %q", got)
	}
	i.inject(9*second, someone, "<13>time passes")
	b := e.balance(t)
	if b.Dropped["gelf_chunk_full"]+b.Dropped["gelf_chunk_expired"] != senders*each || b.Dropped["gelf_chunk_expired"] == 0 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
	i.inject(20*second, someone, "<13>time passes") // and what was kept in mind is forgotten
	if after := heap() - before; after > limit/10 {
		t.Errorf("%d bytes are held when all are given up", after)
	}
	runtime.KeepAlive(i)
}

func TestOneSenderCannotPushOutTheOthers(t *testing.T) {
	e := newEnv()
	e.journal.books = e.ledger
	i := newInjector(t, e.udp(UDPOptions{}))
	whole := chunks(7, 2, gelfText)
	i.inject(second, someone, whole[0])
	for n := range 10_000 {
		i.inject(second, netip.MustParseAddr("192.0.2.66"), chunk(uint64(n), 0, 2, strings.Repeat("x", 5000)))
	}
	i.inject(2*second, someone, whole[1])
	i.gelf.close()
	if got := e.journal.ofFormat(formatGELF); len(got) != 1 || got[0] != gelfText {
		t.Errorf("of a whole message came %q", got)
	}
	if b := e.balance(t); b.Dropped["gelf_chunk_sender_full"] == 0 || b.DroppedTotal() != 10_000 {
		t.Errorf("ledger: %+v", b)
	}
}

func TestDecompressionBombIsCut(t *testing.T) {
	const limit = 10_000
	head := `{"version":"1.1","host":"a","short_message":"`
	text := head + strings.Repeat("a", 32<<20)
	for name, bomb := range map[string]string{"zlib": zlibbed(t, text), "gzip": gzipped(t, text)} {
		for _, format := range []string{formatSyslog, formatGELF} {
			e := newEnv()
			e.journal.books = e.ledger
			i := newInjector(t, e.udp(UDPOptions{Format: format, MaxMessage: limit}))
			before := heap()
			i.inject(second, someone, bomb[:min(len(bomb), 60_000)])
			i.inject(second, someone, chunks(1, 100, bomb)...)
			if held := heap() - before; held > 2<<20 {
				t.Errorf("%s: a bomb costs %d bytes", name, held)
			}
			got := e.journal.ofFormat(formatGELF)
			if len(got) != 2 || got[0] != text[:limit] || got[1] != text[:limit] {
				t.Errorf("%s: %d messages for 2 bombs", name, len(got))
			}
			if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n != 2 {
				t.Errorf("%s: %v counted as cut, want 2", name, n)
			}
			if b := e.balance(t); b.Received != 2 || b.Difference() != 0 {
				t.Errorf("%s: ledger %+v", name, b)
			}
		}
	}
}

func TestAMebibyteOfOneByteIsCutOrTakenApart(t *testing.T) {
	for _, filler := range []string{"<", "{", "{\n", "[", "\"", "x", "\x1e", "\\"} {
		flood := strings.Repeat(filler, 1<<20/len(filler))
		for _, format := range []string{formatSyslog, formatGELF} {
			e := newEnv()
			e.journal.books = e.ledger
			l, _ := startTCP(t, e.tcp(TCPOptions{Format: format}))
			conn := dial(t, "tcp", l.Addr().String())
			send(t, conn, flood, "\n\x00<13>after the flood\n")
			finish(t, conn)
			got := textsOf(e.journal.messages())
			if len(got) < 2 || got[len(got)-1] != "<13>after the flood" {
				t.Errorf("%q to %s: %d messages, the last is %.40q", filler, format, len(got), got[len(got)-1])
			}
			if b := e.balance(t); b.Received != uint64(len(got)) || b.Difference() != 0 {
				t.Errorf("%q to %s: ledger %+v", filler, format, b)
			}

			e = newEnv()
			e.journal.books = e.ledger
			i := newInjector(t, e.udp(UDPOptions{Format: format}))
			for rest := flood; len(rest) > 0; rest = rest[min(len(rest), 65_507):] {
				i.inject(second, someone, rest[:min(len(rest), 65_507)])
			}
			if b := e.balance(t); b.Received != 17 || b.Difference() != 0 {
				t.Errorf("%q to %s: ledger %+v", filler, format, b)
			}
		}
	}
}

// BenchmarkRecognition is what telling GELF apart costs a datagram of syslog.
// BenchmarkUDPReceive is the yardstick: all that is done with one, this included.
func BenchmarkRecognition(b *testing.B) {
	r, n := filledReceiver(b, "<13>"+strings.Repeat("x", 252))
	recognised := 0
	for i := 0; i < b.N; i += n {
		for k := range n {
			if gelf.Looks(r.batch.text(k)) != gelf.None {
				recognised++
			}
		}
	}
	if recognised > 0 {
		b.Fatalf("%d recognised", recognised)
	}
}
