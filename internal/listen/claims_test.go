package listen

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"kinesyslog/internal/access"
	"kinesyslog/internal/event"
)

// sevenOfTest is a sender's address.
func sevenOfTest() netip.Addr { return netip.MustParseAddr("192.0.2.7") }

// claimsOf are those of a client with a certificate for fw1.example.com.
func claimsOf(t *testing.T, binding access.Binding) *claims {
	t.Helper()
	e := newEnv()
	h, err := newHostnames(binding, "tls/6514", e.ledger, e.logger(), e.reg)
	if err != nil {
		t.Fatal(err)
	}
	return h.of(newAuthority(t).sign(t, "fw", "fw1.example.com").Leaf, sevenOfTest())
}

func TestTheNoteIsWholeHoweverLongTheNames(t *testing.T) {
	c := claimsOf(t, access.NoteHostname)
	c.note = noteOf + atMost(strings.Repeat("\u00fc", 300), maxNotedName)
	source := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.7").Named(strings.Repeat("s", 512))
	as, ok := c.judge(source, []byte(foreign[0]))
	if want := strings.Repeat("s", 256) + "/hostname-not-of-" + strings.Repeat("\u00fc", 100); !ok || as.LogStream() != want {
		t.Errorf("log stream %s, want %s", as.LogStream(), want)
	}
	if again, _ := c.judge(source, []byte(foreign[1])); again != as {
		t.Error("the same log stream has two sources")
	}
}

func TestHostNamesTooLongForAnyHostAreForeignAndNotKept(t *testing.T) {
	c := claimsOf(t, access.RefuseHostname)
	source := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.7")
	if _, ok := c.judge(source, []byte(fmt.Sprintf(`<13>1 - %s - - - - x`, strings.Repeat("h", 60000)))); ok {
		t.Error("it was let through")
	}
	if cap(c.judged)+cap(c.claimed) > 2*maxClaimed {
		t.Errorf("%d bytes of it are kept", cap(c.judged)+cap(c.claimed))
	}
}

func TestHostNamesThatAreBorneCostNoAllocation(t *testing.T) {
	c := claimsOf(t, access.RefuseHostname)
	syslog, gelf := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.7"), event.NewSource("tls/6514", "gelf", "6514", "192.0.2.7")
	for _, m := range []struct {
		source *event.Source
		texts  []string
	}{{syslog, own}, {syslog, nameless}, {gelf, []string{gelfOwn}}} {
		for _, text := range m.texts {
			msg := []byte(text)
			if n := testing.AllocsPerRun(100, func() {
				if _, ok := c.judge(m.source, msg); !ok {
					t.Fatalf("%s is refused", msg)
				}
				c.settle()
			}); n != 0 {
				t.Errorf("%s: %v allocations", msg, n)
			}
		}
	}
}

func BenchmarkBoundHostname(b *testing.B) {
	e := newEnv()
	h, err := newHostnames(access.RefuseHostname, "tls/6514", e.ledger, e.logger(), e.reg)
	if err != nil {
		b.Fatal(err)
	}
	c := h.of(nil, sevenOfTest())
	c.judged, c.borne = []byte("fw1.example.com"), true
	source := event.NewSource("tls/6514", "syslog", "6514", "192.0.2.7")
	msg := []byte("<13>1 2024-01-02T03:04:05.000Z fw1.example.com app 4711 - - a message of the usual length, give or take some words")
	for b.Loop() {
		if _, ok := c.judge(source, msg); !ok {
			b.Fatal("refused")
		}
	}
}
