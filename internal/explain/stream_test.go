package explain

import (
	"strings"
	"testing"

	"kinesyslog/internal/batch"
)

func TestTheLogStreamIsNamedAsTheRelaysRulesSay(t *testing.T) {
	shared := func(listener, address string) string { return listener + " of " + address }
	for _, c := range []struct {
		change       func(*batch.Rules)
		message      string
		stream, told string
	}{
		{func(*batch.Rules) {}, "<34>Feb 11 22:14:15 fw1 app: text", "192.0.2.7", "it came  no header is put in front"},
		{func(r *batch.Rules) { r.ByHost = true }, "<34>Feb 11 22:14:15 fw1:1 app: text", "fw1_1", "it came  no header is put in front"},
		{func(r *batch.Rules) { r.ByHost = true }, "<34>text", "192.0.2.7", "it came  no header is put in front"},
		{func(r *batch.Rules) { r.StreamOf = shared }, "<34>Feb 11 22:14:15 fw1 app: text", "udp/514 of 192.0.2.7", "it came  no header is put in front"},
		{
			func(r *batch.Rules) { r.StreamOf = shared }, "<34>text", "udp/514 of 192.0.2.7",
			"<34>1 2026-02-12T06:26:00.000000Z 192.0.2.7 - - - -  is put in front of it, because it has no host, and the log stream does not name the sender",
		},
		{
			func(r *batch.Rules) { r.StreamOf = shared }, "text", "udp/514 of 192.0.2.7",
			"<13>1 2026-02-12T06:26:00.000000Z 192.0.2.7 - - - -  is put in front of it, because it has no PRI",
		},
	} {
		rules := relayRules()
		c.change(&rules)
		x := New(rules, "/k").Explain([]byte(c.message), Sender{Address: "192.0.2.7", Listener: "udp/514", Port: "514"}, receipt)
		page := string(new(Printer).Append(nil, x))
		if x.Stream != c.stream || !strings.Contains(page, "log stream "+c.stream+"\n") || !strings.Contains(page, c.told) {
			t.Errorf("%q: log stream %q, page\n%s", c.message, x.Stream, page)
		}
	}
}
