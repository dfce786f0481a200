package syslog

import (
	"strings"
	"testing"
	"time"
)

func TestTimeAndHostAreTakenFromTheTextIfTheHeaderHasNone(t *testing.T) {
	const cef, leef1, leef2 = "CEF:0|Acme|Wall|1|7|a \\| b|5|", "LEEF:1.0|Acme|Wall|1|7|", "LEEF:2.0|Acme|Wall|1|7|"
	for _, c := range []struct{ msg, time, host, format string }{
		// CEF
		{cef + "src=192.0.2.1 rt=1770848055123 dvchost=fw1 msg=a b", "2026-02-11T22:14:15.123Z", "fw1", "cef"},
		{cef + "rt=Feb 11 2026 22:14:15 dvchost=fw 1", "2026-02-11T22:14:15Z", "fw 1", "cef"},
		{cef + "rt=Feb 11 2026 22:14:15 GMT+02:00 src=192.0.2.1", "2026-02-11T22:14:15+02:00", "", "cef"},
		{cef + "rt=Feb 11 22:14:15", "2026-02-11T22:14:15Z", "", "cef"},
		{cef + "end=1770848059000 start=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{cef + "end=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{cef + "rt= start=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{cef + "rt=soon start=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{cef + "art=1770848055000 mrt=1770848055000 cs1=\\=rt=1", "", "", "cef"},
		{cef + "\n  rt=1770848055000\n  dvchost=fw1\n", "2026-02-11T22:14:15.000Z", "fw1", "cef"},
		{cef + "dvchost=a\\=b", "", "a=b", "cef"},
		{"CEF: 0|Acme|Wall|1|7|a|5|rt=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{"<14>" + cef + "rt=1770848055000", "2026-02-11T22:14:15.000Z", "", "cef"},
		{"<14>sensor: " + cef + "rt=1770848055000 dvchost=fw1", "2026-02-11T22:14:15.000Z", "fw1", "cef"},
		{"CEF:0|too|short", "", "", "cef"},
		// LEEF
		{leef1 + "src=192.0.2.1\tdevTime=2026-02-11 22:14:15\tdvchost=fw1", "2026-02-11T22:14:15Z", "fw1", "leef"},
		{leef1 + "devTime=1770848055123", "2026-02-11T22:14:15.123Z", "", "leef"},
		{leef1 + "devTime=11/02/2026 22:14:15\tdevTimeFormat=dd/MM/yyyy HH:mm:ss", "2026-02-11T22:14:15Z", "", "leef"},
		{leef1 + "devTimeFormat=MMM dd yyyy HH:mm:ss.SSS z\tdevTime=Feb 11 2026 22:14:15.500 UTC", "2026-02-11T22:14:15.500Z", "", "leef"},
		{leef1 + "devTime=20260211101415PM+0100\tdevTimeFormat=yyyyMMddhhmmssaZ", "2026-02-11T22:14:15+01:00", "", "leef"},
		{leef1 + "devTime=11 Feb '26 at 22:14\tdevTimeFormat=dd MMM ''yy 'at' HH:mm", "", "", "leef"},
		{leef1 + "devTime=Wed Feb 11 22:14:15 2026\tdevTimeFormat=EEE MMM dd HH:mm:ss yyyy", "2026-02-11T22:14:15Z", "", "leef"},
		{leef2 + "^|src=192.0.2.1^devTime=1770848055123^dvchost=fw1", "2026-02-11T22:14:15.123Z", "fw1", "leef"},
		{leef2 + "x5E|src=192.0.2.1^devTime=1770848055123", "2026-02-11T22:14:15.123Z", "", "leef"},
		{leef2 + "0x7c|src=192.0.2.1|devTime=1770848055123", "2026-02-11T22:14:15.123Z", "", "leef"},
		{leef2 + "src=192.0.2.1\tdevTime=1770848055123", "2026-02-11T22:14:15.123Z", "", "leef"},
		// key=value
		{`<189>date=2026-02-11 time=22:14:15 devname="fgt-1" devid="F" tz="+0100" x=y`, "2026-02-11T22:14:15+01:00", "fgt-1", "rfc3164"},
		{"date=2026-02-11,time=22:14:15,devname=fgt-1,devid=F", "2026-02-11T22:14:15Z", "fgt-1", "none"},
		{"logver=604 tz=\"UTC-7:00\" date=2026-02-11 time=22:14:15.123 devname=f", "2026-02-11T22:14:15.123-07:00", "f", "none"},
		{"time=1770848055|hostname=cp1|product=Fire Wall|time=1", "2026-02-11T22:14:15Z", "cp1", "none"},
		{`<134>  id=firewall sn=00 time="2026-02-11 22:14:15" fw=192.0.2.9 pri=6`, "2026-02-11T22:14:15Z", "192.0.2.9", "rfc3164"},
		{`id=firewall sn=00 time="2026-02-11 22:14:15 UTC" fw=192.0.2.9 pri=6`, "2026-02-11T22:14:15Z", "192.0.2.9", "none"},
		{`id=firewall time="2026-02-11 22:14:15" fw="sn-1" tz=+0200 x="a=b c"`, "2026-02-11T22:14:15+02:00", "sn-1", "none"},
		{`device="SFW" date=2026-02-11 time=22:14:15 timezone="EET" device_name="XG 1"`, "2026-02-11T22:14:15+02:00", "XG 1", "none"},
		{`device_name="XG" timestamp="2026-02-11T22:14:15-0400" device_model="XGS"`, "2026-02-11T22:14:15-04:00", "XG", "none"},
		{`time=22:14:15 devname="fgt-1" type=event`, "", "", "none"},
		{`UX=Abcd; X=1, Z=2`, "", "", "none"},
		{`<14>kernel: IN=eth0 OUT= SRC=192.0.2.1`, "", "", "rfc3164"},
		{`x="unclosed date=2026-02-11 time=22:14:15`, "", "", "none"},
		// JSON
		{`{"timestamp":"2026-02-11T22:14:15.5Z","a":{"b":[1,2]}}`, "2026-02-11T22:14:15.5Z", "", "json"},
		{`{ "a" : {"time":"2020-01-01T00:00:00Z"}, "time" : "2026-02-11 22:14:15" }`, "2026-02-11T22:14:15Z", "", "json"},
		{`{"msg":"\"time\":\"2020-01-01T00:00:00Z\"","@timestamp":"2026-02-11T22:14:15Z"}`, "2026-02-11T22:14:15Z", "", "json"},
		{`{"time":1770848055.25}`, "2026-02-11T22:14:15.25Z", "", "json"},
		{`{"ts":1770848055250}`, "2026-02-11T22:14:15.250Z", "", "json"},
		{`{"time":0.003,"timestamp":"Wed Feb 11 22:14:15 2026"}`, "2026-02-11T22:14:15Z", "", "json"},
		{`<14>app: {"EventTime":"2026-02-11T22:14:15Z"}`, "2026-02-11T22:14:15Z", "", "rfc3164"},
		{`<14>1 - host app - - - {"time":"2026-02-11T22:14:15Z"}`, "2026-02-11T22:14:15Z", "host", "rfc5424"},
		{`<14>1 - - - - - [a b="c"] {"time":"2026-02-11T22:14:15Z"}`, "2026-02-11T22:14:15Z", "", "rfc5424"},
		{`{"version":"1.1","host":"a","short_message":"b","timestamp":1770848055.25}`, "2026-02-11T22:14:15.25Z", "", "gelf"},
		{`{"a":"b"}`, "", "", "json"},
		{`{"time":`, "", "", "json"},
		{`{time}`, "", "", "none"},
		// lines of log files
		{"[Wed Feb 11 22:14:15 2026] [notice] text", "2026-02-11T22:14:15Z", "", "none"},
		{"<14>1,2026/02/11 22:14:15,0160,TRAFFIC", "2026-02-11T22:14:15Z", "", "rfc3164"},
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte(c.msg), receipt.UnixMicro())
		if m.Timestamp != c.time || m.Hostname != c.host || m.Format != c.format {
			t.Errorf("%q:\n got %q %q %q\nwant %q %q %q", c.msg, m.Timestamp, m.Hostname, m.Format, c.time, c.host, c.format)
		}
		if (m.TimestampSource == Body) != (c.time != "") {
			t.Errorf("%q: time from %s", c.msg, m.TimestampSource)
		}
	}
}

func TestHeaderGoesBeforeTheText(t *testing.T) {
	for _, text := range []string{
		"CEF:0|Acme|Wall|1|7|a|5|rt=1770848000000 dvchost=other",
		"LEEF:1.0|Acme|Wall|1|7|devTime=1770848000000\tdvchost=other",
		`date=2020-02-11 time=22:14:00 devname="other"`,
		`time=1770848000|hostname=other`,
		`{"timestamp":"2020-02-11T22:14:00Z","host":"other"}`,
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte("<14>Feb 11 22:14:15 host "+text), receipt.UnixMicro())
		if m.Timestamp != "2026-02-11T22:14:15Z" || m.TimestampSource != Header || m.Hostname != "host" || m.HostInBody {
			t.Errorf("%q: time %s from %s, host %q", text, m.Timestamp, m.TimestampSource, m.Hostname)
		}
		if want, _, _ := strings.Cut(strings.ToLower(text), ":"); (want == "cef" || want == "leef") && (m.Format != want || m.Payload != want) {
			t.Errorf("%q: format %s, payload %s", text, m.Format, m.Payload)
		}
	}
}
