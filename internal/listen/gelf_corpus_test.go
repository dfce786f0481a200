package listen

import (
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type gelfCase struct {
	ID        string `json:"id"`
	Class     string `json:"class"`
	Transport string `json:"transport"`
	Datagrams []struct {
		Data []byte `json:"b64"`
		From string `json:"from"`
	} `json:"datagrams"`
	Segments [][]byte `json:"segments_b64"`
	Expect   struct {
		Messages []map[string]any `json:"messages"`
		Also     []struct {
			Messages []map[string]any `json:"messages"`
		} `json:"also_acceptable"`
	} `json:"expect"`
}

// objects returns those of the texts that are JSON.
func objects(texts []string) (objects []map[string]any) {
	for _, text := range texts {
		var o map[string]any
		if json.Unmarshal([]byte(text), &o) == nil {
			objects = append(objects, o)
		}
	}
	return objects
}

func (c *gelfCase) check(t *testing.T, got []map[string]any) {
	t.Helper()
	for _, also := range c.Expect.Also {
		if cmp.Equal(also.Messages, got) {
			return
		}
	}
	if len(c.Expect.Messages)+len(got) > 0 && !cmp.Equal(c.Expect.Messages, got) {
		t.Errorf("messages (-want +got):\n%s", cmp.Diff(c.Expect.Messages, got))
	}
}

// sendFrom sends the datagrams of a case, each from the address in this
// machine's loopback network that stands for its sender.
func (c *gelfCase) sendFrom(t *testing.T, to string) {
	t.Helper()
	conns := map[string]net.Conn{}
	for _, d := range c.Datagrams {
		conn := conns[d.From]
		if conn == nil {
			ip := net.IPv4(127, 0, 0, byte(len(conns)+1))
			dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: ip}}
			var err error
			if conn, err = dialer.Dial("udp", to); err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conns[d.From] = conn
		}
		send(t, conn, string(d.Data))
	}
	send(t, dial(t, "udp", to), c.sentinel())
}

// sentinel comes after all that a case sends.
func (c *gelfCase) sentinel() string {
	return `{"version":"1.1","host":"` + c.ID + `","short_message":"the end"}`
}

// until returns the messages of both formats that came before a sentinel, and
// forgets them.
func (j *fakeJournal) until(t *testing.T, sentinel string) (syslog, gelf []string) {
	t.Helper()
	for n := 1; ; n++ {
		texts := textsOf(j.wait(t, n))
		if !slices.Contains(texts, sentinel) {
			continue
		}
		syslog, gelf = j.ofFormat(formatSyslog), j.ofFormat(formatGELF)
		j.mu.Lock()
		j.got, j.formats = nil, nil
		j.mu.Unlock()
		return syslog, gelf[:len(gelf)-1]
	}
}

func TestGELFCorpusOverUDP(t *testing.T) {
	for _, format := range []string{formatGELF, formatSyslog} {
		e := newEnv()
		e.journal.books = e.ledger
		l, stop := startUDP(t, e.udp(UDPOptions{Address: "0.0.0.0", Format: format}))
		var silent, booked uint64
		for _, c := range corpus[gelfCase](t, "gelf_dev.jsonl") {
			if c.Transport != "udp" {
				continue
			}
			t.Run(c.ID+" "+c.Class+" to "+format, func(t *testing.T) {
				c.sendFrom(t, onPort("127.0.0.1", l.Addr()))
				asSyslog, asGELF := e.journal.until(t, c.sentinel())
				c.check(t, objects(asGELF))
				if len(objects(asSyslog)) > 0 {
					t.Errorf("taken as syslog: %.100q", asSyslog)
				}
				if b := e.balance(t); b.Received == booked+1 {
					silent++ // it waits for chunks
					booked++
				} else {
					booked = b.Received
				}
			})
		}
		stop()
		b := e.balance(t)
		if stopped := b.Dropped["gelf_chunk_stopped"] + b.Dropped["gelf_chunk_expired"]; silent == 0 || stopped < silent || b.Difference() != 0 {
			t.Errorf("of %d cases nothing came at once, ledger: %+v", silent, b)
		}
	}
}

func TestGELFCorpusOverTCPAndTLS(t *testing.T) {
	certificate := testCertificate(t)
	for _, c := range corpus[gelfCase](t, "gelf_dev.jsonl") {
		if c.Transport != "tcp" {
			continue
		}
		for _, format := range []string{formatGELF, formatSyslog} {
			for _, transport := range []string{"tcp", "tls"} {
				t.Run(c.ID+" "+c.Class+" to "+format+" over "+transport, func(t *testing.T) {
					e := newEnv()
					opts := e.tcp(TCPOptions{Format: format})
					if transport == "tls" {
						opts.TLS = certificate.server()
					}
					l, _ := startTCP(t, opts)
					conn := dial(t, "tcp", l.Addr().String())
					if transport == "tls" {
						conn = dialTLS(t, l.Addr().String(), certificate.client())
					}
					send(t, conn, texts(c.Segments)...)
					finish(t, conn)
					got := e.journal.ofFormat(formatGELF)
					if all := len(e.journal.messages()); all != len(got) {
						t.Errorf("%d of %d messages are taken as syslog", all-len(got), all)
					}
					c.check(t, objects(got))
				})
			}
		}
	}
}

// flipped returns b with random bytes changed, one of 50 but at least one.
func flipped(r *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	for range len(b)/50 + min(len(b), 1) {
		b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
	}
	return b
}

// damagedCorpora returns what the corpora would have devices send, as datagrams
// and as connections, with random bytes flipped.
func damagedCorpora(t *testing.T) (datagrams []string, connections [][]string) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range corpus[struct {
		Raw    string `json:"raw"`
		RawB64 []byte `json:"raw_b64"`
	}](t, "dev.jsonl") {
		d := string(flipped(r, append([]byte(c.Raw), c.RawB64...)))
		datagrams = append(datagrams, d)
		connections = append(connections, []string{d + "\n"})
	}
	for _, c := range corpus[gelfCase](t, "gelf_dev.jsonl") {
		var segments []string
		for _, d := range c.Datagrams {
			segments = append(segments, string(flipped(r, d.Data)))
		}
		datagrams = append(datagrams, segments...)
		for _, s := range c.Segments {
			segments = append(segments, string(flipped(r, s)))
		}
		connections = append(connections, segments)
	}
	for _, c := range corpus[framingCase](t, "framing_dev.jsonl") {
		var segments []string
		for _, s := range c.Segments {
			segments = append(segments, string(flipped(r, s)))
			datagrams = append(datagrams, segments[len(segments)-1][:min(len(s), datagramSize)])
		}
		connections = append(connections, segments)
	}
	return datagrams, connections
}

func TestDamagedCorporaAsDatagrams(t *testing.T) {
	datagrams, _ := damagedCorpora(t)
	for _, format := range []string{formatSyslog, formatGELF} {
		e := newEnv()
		e.journal.books = e.ledger
		i := newInjector(t, e.udp(UDPOptions{Format: format, MaxMessage: 2000}))
		alone := 0 // datagrams that are a message each
		for n, d := range datagrams {
			if len(d) < 2 || d[:2] != "\x1e\x0f" {
				alone++
			}
			i.inject(int64(1+n)*second/100, netip.AddrFrom4([4]byte{10, 0, 0, byte(n % 3)}), d)
		}
		i.gelf.close()
		b := e.balance(t)
		if came := len(e.journal.messages()) + int(b.Dropped["empty"]); came < alone {
			t.Errorf("%s: %d messages and empty datagrams, want %d at least", format, came, alone)
		}
		if lost := b.DroppedTotal() - b.Dropped["empty"]; lost == 0 || b.Difference() != 0 {
			t.Errorf("%s: ledger %+v", format, b)
		}
		if n := e.undecoded(t); n["damaged"] == 0 {
			t.Errorf("%s: undecoded %v", format, n)
		}
		if sets, bytes := i.gelf.decoder.Waiting(); sets+bytes != 0 {
			t.Errorf("%s: %d messages of %d bytes are left", format, sets, bytes)
		}
	}
}

func TestDamagedCorporaOverTCP(t *testing.T) {
	_, connections := damagedCorpora(t)
	for _, format := range []string{formatSyslog, formatGELF} {
		e := newEnv()
		e.journal.books = e.ledger
		l, _ := startTCP(t, e.tcp(TCPOptions{Format: format, MaxMessage: 2000}))
		sent := 0
		for _, segments := range connections {
			conn := dial(t, "tcp", l.Addr().String())
			send(t, conn, segments...)
			finish(t, conn)
			conn.Close()
			for _, s := range segments {
				sent += len(s)
			}
		}
		b := e.balance(t)
		if b.Received < uint64(len(connections)) || b.ReceivedBytes < uint64(sent)/2 || b.Difference() != 0 {
			t.Errorf("%s: %d bytes sent, ledger %+v", format, sent, b)
		}
		for _, m := range e.journal.messages() {
			if len(m.Text) == 0 || len(m.Text) > 2000 {
				t.Fatalf("%s: message of %d bytes", format, len(m.Text))
			}
		}
		if n := e.metric(t, "kinesyslog_messages_cut_total", ""); n == 0 {
			t.Errorf("%s: nothing was cut", format)
		}
	}
}
