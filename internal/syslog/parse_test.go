package syslog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said is the part of a Message that most tests are about, as
// "host|app|pid|msgid|text" with "-" for what is not there.
func said(m *Message) string {
	parts := []string{m.Hostname, m.AppName, m.ProcID, m.MsgID, m.Text}
	for i, p := range parts {
		if p == "" {
			parts[i] = "-"
		}
	}
	return strings.Join(parts, "|")
}

func TestHostTagAndTextAreToldApart(t *testing.T) {
	for msg, want := range map[string]string{
		"<38>Feb 11 22:14:15 bastion sshd[4711]: text here":              "bastion|sshd|4711|-|text here",
		"<38>Feb 11 22:14:15 bastion sshd: text":                         "bastion|sshd|-|-|text",
		"<38>Feb 11 22:14:15 bastion sshd:   text":                       "bastion|sshd|-|-|text",
		"<38>Feb 11 22:14:15 bastion sshd:":                              "bastion|sshd|-|-|-",
		"<38>Feb 11 22:14:15 bastion ftpd[12] text":                      "bastion|ftpd|12|-|text",
		"<38>Feb 11 22:14:15 bastion su(pam_unix)[12]: text":             "bastion|su(pam_unix)|12|-|text",
		"<38>Feb 11 22:14:15 bastion postfix/smtpd[12]: text":            "bastion|postfix/smtpd|12|-|text",
		"<38>Feb 11 22:14:15 bastion /usr/sbin/cron[12]: text":           "bastion|/usr/sbin/cron|12|-|text",
		"<38>Feb 11 22:14:15 bastion TRAPMGR[trapTask]: text":            "bastion|TRAPMGR|trapTask|-|text",
		"<38>Feb 11 22:14:15 bastion ASM:unit=\"x\"":                     "bastion|ASM|-|-|unit=\"x\"",
		"<38>Feb 11 22:14:15 bastion notice httpd[12]: text":             "bastion|httpd|12|-|text",
		"<38>Feb 11 22:14:15 bastion auth|security:info sshd[12]: text":  "bastion|sshd|12|-|text",
		"<38>Feb 11 22:14:15 bastion":                                    "bastion|-|-|-|-",
		"<38>Feb 11 22:14:15 bastion just text":                          "bastion|-|-|-|just text",
		"<38>Feb 11 22:14:15 bastion 10.0.0.1:80 -> 10.0.0.2:81":         "bastion|-|-|-|10.0.0.1:80 -> 10.0.0.2:81",
		"<38>Feb 11 22:14:15 bastion http://example.net/ is down":        "bastion|-|-|-|http://example.net/ is down",
		"<38>Feb 11 22:14:15 bastion (root) CMD: text":                   "bastion|-|-|-|(root) CMD: text",
		"<38>Feb 11 22:14:15 bastion vendor=x product=y":                 "bastion|-|-|-|vendor=x product=y",
		"<38>Feb 11 22:14:15 10.20.0.99 sshd[12]: text":                  "10.20.0.99|sshd|12|-|text",
		"<38>Feb 11 22:14:15 10.20.0.99: text":                           "10.20.0.99|-|-|-|text",
		"<38>Feb 11 22:14:15 2001:db8::17 sshd[12]: text":                "2001:db8::17|sshd|12|-|text",
		"<38>Feb 11 22:14:15 ::1 sshd[12]: text":                         "::1|sshd|12|-|text",
		"<38>Feb 11 22:14:15 fe80::1%eth0 sshd[12]: text":                "fe80::1%eth0|sshd|12|-|text",
		"<38>Feb 11 22:14:15 [10.20.0.99] sshd[12]: text":                "10.20.0.99|sshd|12|-|text",
		"<38>Feb 11 22:14:15 slot1/bigip sshd[12]: text":                 "slot1/bigip|sshd|12|-|text",
		"<38>Feb 11 22:14:15 2023host sshd[12]: text":                    "2023host|sshd|12|-|text",
		"<38>Feb 11 22:14:15 4711 sshd[12]: text":                        "4711|sshd|12|-|text",
		"<38>Feb 11 22:14:15 fw1.example.net: text":                      "fw1.example.net|-|-|-|text",
		"<38>Feb 11 22:14:15 com.example.agent.main: text":               "-|com.example.agent.main|-|-|text",
		"<38>Feb 11 22:14:15 ap-7,001122aabbcc,v4.0.66 switch: text":     "ap-7|switch|-|-|text",
		"<38>Feb 11 22:14:15 (\"ap-7,001122aabbcc,v4.0.66\") hostapd: t": "ap-7|hostapd|-|-|t",
		"<38>Feb 11 22:14:15\thost\tapp: text":                           "host|app|-|-|text",
		"<38>Feb 11 22:14:15 host MSWinEventLog\t1\tSecurity":            "host|-|-|-|MSWinEventLog\t1\tSecurity",
		"<38>Feb 11 22:14:15 host app: line 1\nline 2":                   "host|app|-|-|line 1\nline 2",
		"<38>Feb 11 22:14:15 host app: \xef\xbb\xbftext":                 "host|app|-|-|text",
		"<38>Feb 11 22:14:15 host app: \xff\xfe":                         "host|app|-|-|\xff\xfe",
		"<38>Feb 11 22:14:15 relay <34>Feb 11 22:14:13 host app: text":   "relay|-|-|-|<34>Feb 11 22:14:13 host app: text",
		"<38>Feb 11 22:14:15 <local0.info> 10.20.0.99 CEF:0|a|b":         "10.20.0.99|-|-|-|CEF:0|a|b",
		"2026-02-11 22:14:15\tLocal7.Notice\t10.20.0.99\tapp: text":      "10.20.0.99|app|-|-|text",
		"<38>Feb 11 22:14:15 [na1:wafl.vol.full:notice]: text":           "na1|wafl.vol.full|-|-|text",
		"<38>Feb 11 22:14:15 [na1: mgwd: callhome.x:info]: text":         "na1|mgwd|-|-|text",
		"<38>Feb 11 22:14:15 na1: na1: 00000027.0009ef53 text":           "na1|-|-|-|00000027.0009ef53 text",
		// without a host
		"<38>Feb 11 22:14:15 cron[12]: text":                              "-|cron|12|-|text",
		"<38>Feb 11 22:14:15 filterlog: 82,,,1000":                        "-|filterlog|-|-|82,,,1000",
		"<38>Feb 11 22:14:15 mysqld: 2026-02-11 22:14:15 [Note] x":        "-|mysqld|-|-|2026-02-11 22:14:15 [Note] x",
		"<38>Feb 11 22:14:15 1,2026/02/11 22:14:15,0160,TRAFFIC":          "-|-|-|-|1,2026/02/11 22:14:15,0160,TRAFFIC",
		"<38>Feb 11 22:14:15 -- MARK --":                                  "-|-|-|-|-- MARK --",
		"<38>Feb 11 22:14:15 last message repeated 3 times":               "-|-|-|-|last message repeated 3 times",
		"<38>Feb 11 22:14:15 Message forwarded from aix1: sshd[12]: text": "aix1|sshd|12|-|text",
		"<38>Feb 11 22:14:15 us=340080 text":                              "-|-|-|-|us=340080 text",
		"<38>2026-02-11T22:14:15Z INFO [main] text":                       "-|-|-|-|INFO [main] text",
		"<38>2026-02-11 22:14:15.123 Info HttpServer: text":               "-|HttpServer|-|-|text",
		"<38>2026-02-11T22:14:15Z [conn1] text":                           "-|-|-|-|[conn1] text",
		"<38>2026-02-11T22:14:15Z: text without a tag":                    "-|-|-|-|text without a tag",
		"<38>Feb 11 22:14:15: host app: text":                             "host|app|-|-|text",
		"<38> 02/17/2026:22:14:15 GMT ns1 0-PPE-0 : default TCP":          "ns1|-|-|-|0-PPE-0 : default TCP",
		"<38> 02/17/2026:22:14:15   0-PPE-0 : default TCP":                "-|-|-|-|0-PPE-0 : default TCP",
		// without a time
		"<38>sshd[12]: text":       "-|sshd|12|-|text",
		"<38> sshd: text":          "-|sshd|-|-|text",
		"<38>some text":            "-|-|-|-|some text",
		"<38>[Login Failed]: text": "-|-|-|-|[Login Failed]: text",
		"<38>4711: text":           "-|-|-|-|4711: text",
		"sshd[12]: text":           "-|-|-|-|sshd[12]: text",
		"<38 Feb 11 sshd: text":    "-|-|-|-|<38 Feb 11 sshd: text",
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte(msg), receipt.UnixMicro())
		if got := said(&m); got != want {
			t.Errorf("%q:\n got %q\nwant %q", msg, got, want)
		}
	}
}

func TestCiscoHeaders(t *testing.T) {
	const none = ""
	for msg, want := range map[string][2]string{
		"<189>84: Feb 11 22:14:15.123: %SYS-5-CONFIG_I: text":                              {"2026-02-11T22:14:15.123Z", "-"},
		"<189>84: *Feb 11 22:14:15.123: %SYS-5-CONFIG_I: text":                             {"2026-02-11T22:14:15.123Z", "-"},
		"<189>84: 000191: .Feb 11 22:14:15 UTC: %SYS-5-CONFIG_I: text":                     {"2026-02-11T22:14:15Z", "-"},
		"<189>84: sw01: Feb 11 2026 22:14:15 UTC: %SYS-5-CONFIG_I: text":                   {"2026-02-11T22:14:15Z", "sw01"},
		"<189>84: sw01: 000191: Feb 11 22:14:15 Singapo: %SYS-5-CONFIG_I: text":            {"2026-02-11T22:14:15Z", "sw01"},
		"<189>84: 2001:db8::: 000191: Feb 11 22:14:15: %SYS-5-CONFIG_I: text":              {"2026-02-11T22:14:15Z", "2001:db8::"},
		"<189>84: sw01.example.net Feb 11 2026 22:14:15 UTC: %SYS-5-CONFIG_I: text":        {"2026-02-11T22:14:15Z", "sw01.example.net"},
		"<189>sw01: Feb 11 22:14:15: %SYS-5-CONFIG_I: text":                                {"2026-02-11T22:14:15Z", "sw01"},
		"<189>sw01: *Feb 11 22:14:15: %SYS-5-CONFIG_I: text":                               {"2026-02-11T22:14:15Z", "sw01"},
		"<189>: sw01: Feb 11 22:14:15: %SYS-5-CONFIG_I: text":                              {"2026-02-11T22:14:15Z", "sw01"},
		"<189>: 2026 Feb 11 22:14:15 UTC: %SYS-5-CONFIG_I: text":                           {"2026-02-11T22:14:15Z", "-"},
		"<189>: 2023host Feb 11 22:14:15 UTC: %SYS-5-CONFIG_I: text":                       {"2026-02-11T22:14:15Z", "2023host"},
		"<189>:Feb 11 22:14:15 UTC: %SYS-5-CONFIG_I: text":                                 {"2026-02-11T22:14:15Z", "-"},
		"<189>Feb 11 22:14:15: %SYS-5-CONFIG_I: text":                                      {"2026-02-11T22:14:15Z", "-"},
		"<189>Feb 11 22:14:15 fw1 %SYS-5-CONFIG_I: text":                                   {"2026-02-11T22:14:15Z", "fw1"},
		"<189>Feb 11 22:14:15 fw1 : %SYS-5-CONFIG_I: text":                                 {"2026-02-11T22:14:15Z", "fw1"},
		"<189>Feb 11 22:14:15 fw1: %SYS-5-CONFIG_I: text":                                  {"2026-02-11T22:14:15Z", "fw1"},
		"<189>Feb 11 22:14:15 10.0.0.2 84: *Feb 11 22:14:14 UTC: %SYS-5-CONFIG_I: text":    {"2026-02-11T22:14:15Z", "10.0.0.2"},
		"<189>Feb 11 22:14:15 nexus: 2026 Feb 11 22:14:14 CET: %SYS-5-CONFIG_I: text":      {"2026-02-11T22:14:15Z", "nexus"},
		"<189>84: *Feb 11 22:14:15: sw01.example.net %SYS-5-CONFIG_I: text":                {"2026-02-11T22:14:15Z", "sw01.example.net"},
		"<189>84: Feb 11 2026 10:14:15 PM.484 UTC :  %UC_AUDITLOG-5-AdministrativeEvent: ": {"2026-02-11T22:14:15.484Z", "-"},
		"<189>wlc: *spamApTask5: Feb 11 22:14:15.331: #CAPWAP-3-DTLS: text":                {"2026-02-11T22:14:15.331Z", "wlc"},
		"<189>*spamApTask5: Feb 11 22:14:15.331: %CAPWAP-3-DTLS: text":                     {"2026-02-11T22:14:15.331Z", "-"},
		"<189>RP/0/RSP0/CPU0:Feb 11 22:14:15.123 UTC: ifmgr[123]: %PKT-5-X : text":         {"2026-02-11T22:14:15.123Z", "RP/0/RSP0/CPU0"},
		"<189>84: xr1 RP/0/RSP0/CPU0:2026 Feb 11 22:14:15 : ifmgr[123]: %PKT-5-X : text":   {"2026-02-11T22:14:15Z", "xr1"},
		// clocks that were never set, and no time at all
		"<189>84: 00:01:01: %SYS-5-CONFIG_I: text":            {none, "-"},
		"<189>84: sw01: 1w2d: %SYS-5-CONFIG_I: text":          {none, "sw01"},
		"<189>sw01: 2y10w: %SYS-5-CONFIG_I: text":             {none, "sw01"},
		"<189>84: sw01: %SYS-5-CONFIG_I: text":                {none, "sw01"},
		"<189>84: 000191: %SYS-5-CONFIG_I: text":              {none, "-"},
		"<189>84: sw01: 000191: 1d02h: %SYS-5-CONFIG_I: text": {none, "sw01"},
		"<189>%SYS-5-CONFIG_I: text":                          {none, "-"},
		"%ASA-6-302013: Built":                                {none, "-"},
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte(msg), receipt.UnixMicro())
		host := m.Hostname
		if host == "" {
			host = "-"
		}
		if m.Timestamp != want[0] || host != want[1] {
			t.Errorf("%q:\n got %s %s\nwant %s %s", msg, m.Timestamp, host, want[0], want[1])
		}
		if m.Timestamp != "" && m.TimestampSource != Header {
			t.Errorf("%q: time from %s", msg, m.TimestampSource)
		}
		if !strings.Contains(m.Text, "-") {
			t.Errorf("%q: the mnemonic is not in the text %q", msg, m.Text)
		}
	}
}

func TestFieldsOfRFC5424(t *testing.T) {
	for _, c := range []struct {
		msg, want, frame string
	}{
		{"<34>1 2026-02-11T22:14:15.003Z host app 12 ID47 - text", "host|app|12|ID47|text", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15.003Z host app 12 ID47 -", "host|app|12|ID47|-", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15.003Z host app 12 ID47 -  two spaces", "host|app|12|ID47| two spaces", "rfc5424"},
		{"<34>1 - - - - - -", "-|-|-|-|-", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15Z host app - - [a@1 b=\"c\"]", "host|app|-|-|-", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15Z host app - - [a@1 b=\"c\"] text", "host|app|-|-|text", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15Z host app - - [a@1 b=\"c\"]text", "host|app|-|-|text", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15Z host app - - [a b=c] text", "host|app|-|-|text", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15Z host app - - - \xef\xbb\xbftext", "host|app|-|-|text", "rfc5424"},
		{"<34>1 2026-02-11T22:14:15 host app - - - no zone", "host|app|-|-|no zone", "rfc5424"},
		{"<34>12 2026-02-11T22:14:15Z host app - - - version 12", "host|app|-|-|version 12", "rfc5424"},
		// what is not as it should be
		{"1 2026-02-11T22:14:15Z host app - - - text", "host|app|-|-|text", "rfc5424-malformed"},
		{"<34>0 2026-02-11T22:14:15Z host app - - - text", "host|app|-|-|text", "rfc5424-malformed"},
		{"<34>1  2026-02-11T22:14:15Z host app - - - text", "host|app|-|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11 22:14:15 host app - - - text", "host|app|-|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-30T22:14:15Z host app - - - text", "host|app|-|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z", "-|-|-|-|-", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host", "host|-|-|-|-", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host app[12]: text", "host|app|12|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host just some more text", "host|-|-|-|just some more text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z app[12]: text", "-|app|12|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host  App: text", "host|App|-|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host - - - text", "host|-|-|-|text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host app 12 - [a:\"b\"; c:\"d\"]", "host|app|12|-|[a:\"b\"; c:\"d\"]", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host app 12 - [a b= \"c\"] text", "host|app|12|-|[a b= \"c\"] text", "rfc5424-malformed"},
		{"<34>1 2026-02-11T22:14:15Z host app 12 - [a b=\"c", "host|app|12|-|[a b=\"c", "rfc5424-malformed"},
		{"<34>1 1770848055.123456789 host events text", "host|-|-|-|events text", "rfc5424-malformed"},
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte(c.msg), receipt.UnixMicro())
		if got := said(&m); got != c.want || m.Frame.String() != c.frame || m.Format != "rfc5424" {
			t.Errorf("%q:\n got %q %s %s\nwant %q %s", c.msg, got, m.Frame, m.Format, c.want, c.frame)
		}
	}
}

func TestStructuredDataIsAnObjectOfObjects(t *testing.T) {
	for sd, want := range map[string]map[string]map[string]any{
		`-`:                                  {},
		`[a@1]`:                              {"a@1": {}},
		`[a@1 b="c"]`:                        {"a@1": {"b": "c"}},
		`[a@1 b="c"][d e="f" g=""]`:          {"a@1": {"b": "c"}, "d": {"e": "f", "g": ""}},
		`[a b="c" b="d" b="e"]`:              {"a": {"b": []string{"c", "d", "e"}}},
		`[a b="\"\]\\" c="\n\x"]`:            {"a": {"b": `"]\`, "c": `\n\x`}},
		`[a b="c=d ] e"]`:                    nil, // "]" within a value must be escaped, but what follows tells
		`[a b="1"][a c="2"]`:                 {"a": {"c": "2"}},
		`[a b="⌘"]`:                          {"a": {"b": "⌘"}},
		`[x@1.2.3 a-b="c" d.e="f" long = "]`: nil,
	} {
		s := Scanner{Location: time.UTC}
		m := s.Parse([]byte("<34>1 2026-02-11T22:14:15Z host app - - "+sd+" text"), receipt.UnixMicro())
		if strings.Contains(sd, "c=d ]") {
			// Nothing forbids reading it: the quotes close where they should.
			want = map[string]map[string]any{"a": {"b": "c=d ] e"}}
		} else if want == nil {
			want = map[string]map[string]any{}
		}
		if diff := cmp.Diff(want, m.StructuredData()); diff != "" {
			t.Errorf("%s:\n%s", sd, diff)
		}
	}
}

func TestSpansSayWhatEachByteIs(t *testing.T) {
	s := Scanner{Location: time.UTC}
	for msg, want := range map[string]string{
		"<34>1 2026-02-11T22:14:15Z host app 12 ID [a b=\"c\"] text": "pri=<34> version=1 timestamp=2026-02-11T22:14:15Z hostname=host " +
			"appname=app procid=12 msgid=ID structured_data=[a b=\"c\"] message=text",
		"<189>84: sw01: *Feb 11 22:14:15 CET: %X-5-Y: text": "pri=<189> hostname=sw01 timestamp=Feb 11 22:14:15 CET message=%X-5-Y: text",
		"Feb 11 22:14:15 host app[12]: text":                "timestamp=Feb 11 22:14:15 hostname=host appname=app procid=12 message=text",
		"text":                                              "message=text",
	} {
		m := s.Parse([]byte(msg), receipt.UnixMicro())
		var got []string
		for _, span := range m.Spans {
			got = append(got, string(span.As)+"="+msg[span.Start:span.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q:\n got %s\nwant %s", msg, strings.Join(got, " "), want)
		}
	}
}

func TestNotesTellWhatWasAssumed(t *testing.T) {
	s := Scanner{Location: location(t, "Europe/Oslo"), MaxPast: time.Hour}
	for msg, want := range map[string]string{
		"text":                                         "no PRI",
		"<999>Feb 11 22:14:15 host app: text":          "no number up to 191",
		"<34><35>Feb 11 22:14:15 host app: text":       "a second PRI",
		"<34>84: Feb 11 22:14:15: %X-5-Y: text":        "sequence number",
		"<34>*Feb 11 22:14:15: %X-5-Y: text":           "not synchronised",
		"<34>Feb 11 22:14:15 host app: text":           "no year",
		"<34>Feb 11 22:14:16 host app: text":           "no zone: taken as Europe/Oslo",
		"<34>Feb 11 22:14:17 host app: text":           "too far from receipt",
		"<34>Feb 11 22:14:15 EST host app: text":       "zone EST is not known or stands for several",
		"<34>Feb 11 22:14:15 CEST host app: text":      "zone CEST taken as its usual offset",
		"<34>02/11/2026 22:14:15 host app: text":       "the other way round",
		"<34>2026-03-29 02:30:00 host app: text":       "there is no such time in Europe/Oslo",
		"<34>2026-02-11T23:59:60Z host app: text":      "second 60",
		"<34>2026-02-11 24:00:00 host app: text":       "24:00:00",
		"<34>1w2d: %X-5-Y: text":                       "its clock was never set",
		"<34>text":                                     "no time",
		"<34>date=2026-02-12 time=06:25:33 x=y":        "the time is from the text",
		"<34>time=\"2026-02-12 06:25:33\" fw=fw1":      "the host is from the text",
		"<34>1 2026-02-11T22:14:15Z host":              "not by its form",
		"<34>1 2026-02-11T22:14:15Z h a p i [a:\"b\"]": "structured data is broken",
	} {
		m := s.Parse([]byte(msg), receipt.UnixMicro())
		if !strings.Contains(strings.Join(m.Notes, "\n"), want) {
			t.Errorf("%q: notes %q lack %q", msg, m.Notes, want)
		}
	}
}
