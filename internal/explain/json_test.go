package explain

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSONHasTheSameKeysInTheSameOrder(t *testing.T) {
	e := New(relayRules(), "/kinesyslog")
	want := []string{
		"pri", "facility", "severity", "timestamp", "timestamp_source", "timestamp_zone_known", "hostname", "appname", "procid", "msgid",
		"structured_data", "message", "frame", "format", "payload", "notes",
	}
	for _, message := range messages(t) {
		line := e.Explain(message, Sender{}, receipt).AppendJSON(nil)
		d := json.NewDecoder(bytes.NewReader(line))
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for d.More() {
			key, err := d.Token()
			if err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			keys = append(keys, key.(string))
			if err := d.Decode(new(json.RawMessage)); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
		}
		if diff := cmp.Diff(want, keys); diff != "" {
			t.Errorf("%q: %s", message, diff)
		}
	}
}

func TestJSONSaysWhatIsThereAndNullForWhatIsNot(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{
			"<165>1 2026-02-11T22:14:15.0000030-07:00 192.0.2.1 app 8710 ID47 [a@1 x=\"1\" y=\"\\\"\" x=\"2\"][b] caf\u00e9 \xff \x1b",
			`{"pri":165,"facility":20,"severity":5,"timestamp":"2026-02-11T22:14:15.0000030-07:00","timestamp_source":"header","timestamp_zone_known":true,` +
				`"hostname":"192.0.2.1","appname":"app","procid":"8710","msgid":"ID47","structured_data":{"a@1":{"x":["1","2"],"y":"\""},"b":{}},` +
				"\"message\":\"caf\u00e9 \\\\xff \\u001b\"," + `"frame":"rfc5424","format":"rfc5424","payload":null,"notes":["not UTF-8: what is not is written \\xNN in the record"]}`,
		},
		{
			"text",
			`{"pri":null,"facility":null,"severity":null,"timestamp":null,"timestamp_source":"received","timestamp_zone_known":false,"hostname":null,` +
				`"appname":null,"procid":null,"msgid":null,"structured_data":{},"message":"text","frame":"none","format":"none","payload":null,` +
				`"notes":["no PRI","no time: the time of receipt stands"]}`,
		},
		{
			`{"version":"1.1","host":"h","short_message":"b","timestamp":1770848055.5}`,
			`{"pri":null,"facility":null,"severity":null,"timestamp":"2026-02-11T22:14:15.5Z","timestamp_source":"body","timestamp_zone_known":true,"hostname":"h",` +
				`"appname":null,"procid":null,"msgid":null,"structured_data":{},"message":"{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"b\",\"timestamp\":1770848055.5}",` +
				`"frame":"none","format":"gelf","payload":"json","notes":["GELF: its own keys tell time and host, and no header is put in front"]}`,
		},
	} {
		if got := New(relayRules(), "/k").Explain([]byte(c.message), Sender{}, receipt).AppendJSON(nil); string(got) != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.message, got, c.want)
		}
	}
}
