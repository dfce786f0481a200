package batch

import (
	"strings"
	"testing"

	"kinesyslog/internal/event"
)

func TestGELFIsDeliveredAsItCameWithItsOwnTime(t *testing.T) {
	src := event.NewSource("udp/12201", "gelf", "12201", "192.0.2.7")
	for _, c := range []struct {
		name, text, want string
		timestamp        int64
	}{
		{"number", `{"host":"a","short_message":"b","timestamp":1385053862.3072}`, "", 1385053862307},
		{"string", `{"host":"a","short_message":"b","timestamp":"1385053862.3072"}`, "", 1385053862307},
		{"milliseconds", `{"host":"a","short_message":"b","timestamp":1385053862307}`, "", 1385053862307},
		{"exponent", `{"host":"a","short_message":"b","timestamp":1.3850538623072e9}`, "", 1385053862307},
		{"missing", `{"host":"a","short_message":"b"}`, "", received / 1000},
		{"null", `{"host":"a","short_message":"b","timestamp":null}`, "", received / 1000},
		{"zero", `{"host":"a","short_message":"b","timestamp":0}`, "", received / 1000},
		{"negative", `{"host":"a","short_message":"b","timestamp":-5}`, "", received / 1000},
		{"huge", `{"host":"a","short_message":"b","timestamp":1e99}`, "", received / 1000},
		{"further in", `{"host":"a","short_message":"b","_x":{"timestamp":1385053862}}`, "", received / 1000},
		{"cut off behind its time", `{"timestamp":1385053862.3072,"short_message":"b`, "", 1385053862307},
		{"indented", "{\n  \"short_message\": \"b\",\n  \"timestamp\": 1385053862.3072\n}", "", 1385053862307},
		{"a syslog header is no time", "<13>1 2024-01-02T03:04:05Z h a - - - x", "", received / 1000},
		{"not UTF-8", "{\"short_message\":\"\xff\"}", `{"short_message":"\xff"}`, received / 1000},
		{"damaged", "x\x9c\x00\xff", "x\\x9c\x00\\xff", received / 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &generation{}
			g.add(src, c.text)
			var out kept
			if err := converter(t, nil).Convert(g, g, &out); err != nil {
				t.Fatal(err)
			}
			d := decode(t, out.records[0].Data)
			want := c.want
			if want == "" {
				want = c.text
			}
			if e := d.LogEvents[0]; e.Message != want || e.Timestamp != c.timestamp {
				t.Errorf("got %d %q\nwant %d %q", e.Timestamp, e.Message, c.timestamp, want)
			}
			if d.LogGroup != "/kinesyslog/gelf/12201" || d.LogStream != "192.0.2.7" {
				t.Errorf("log group %s, log stream %s", d.LogGroup, d.LogStream)
			}
		})
	}
}

func TestGELFAndSyslogOfOneSenderAreInGroupsOfTheirOwn(t *testing.T) {
	g := &generation{}
	g.add(event.NewSource("udp/514", "syslog", "514", "192.0.2.7"), "<13>1 - - - - - - a")
	g.add(event.NewSource("udp/514", "gelf", "514", "192.0.2.7"), `{"short_message":"b"}`)
	g.add(event.NewSource("udp/514", "syslog", "514", "192.0.2.7"), "<13>1 - - - - - - c")
	var out kept
	if err := converter(t, nil).Convert(g, g, &out); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range out.records {
		d := decode(t, r.Data)
		for _, e := range d.LogEvents {
			got = append(got, r.Listener+" "+d.LogGroup+" "+e.Message)
		}
	}
	want := `udp/514 /kinesyslog/syslog/514 <13>1 - - - - - - a
udp/514 /kinesyslog/syslog/514 <13>1 - - - - - - c
udp/514 /kinesyslog/gelf/514 {"short_message":"b"}`
	if strings.Join(got, "\n") != want {
		t.Errorf("got %q", got)
	}
}
