package explain

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func explained(p Printer, message string) string {
	x := New(relayRules(), "/kinesyslog").Explain([]byte(message), Sender{Address: "192.0.2.7", Port: "514"}, receipt)
	return string(p.Append(nil, x))
}

func TestAPersonIsToldWhatEachByteIsAndWhy(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{
			"<34>Feb 11 22:14:15 bastion sshd[4711]: Accepted publickey", `
<34>Feb 11 22:14:15 bastion sshd[4711]: Accepted publickey
ppppttttttttttttttt hhhhhhh aaaa iiii

p  PRI         <34>  auth.crit
t  timestamp   2026-02-11T22:14:15Z  from the header, which does not tell the zone
h  host        bastion
a  app         sshd
i  process     4711
   text        Accepted publickey
   form        rfc3164
   note        no year: taken as the one nearest to receipt
   note        no zone: taken as UTC
=  event       2026-02-11T22:14:15.000Z  the message's own time
   in          /kinesyslog/syslog/514  log stream 192.0.2.7
   as          it came  no header is put in front

`,
		},
		{
			"<165>1 2026-02-11T22:14:15.003Z h a - ID47 [x@1 k=\"v\\\"\"] text", `
<165>1 2026-02-11T22:14:15.003Z h a - ID47 [x@1 k="v\""] tex
pppppv tttttttttttttttttttttttt h a   mmmm sssssssssssss
t

p  PRI         <165>  local4.notice
v  version     1
t  timestamp   2026-02-11T22:14:15.003Z  from the header
h  host        h
a  app         a
m  message id  ID47
s  data        [x@1 k="v\""]
   text        text
   form        rfc5424
=  event       2026-02-11T22:14:15.003Z  the message's own time
   in          /kinesyslog/syslog/514  log stream 192.0.2.7
   as          it came  no header is put in front

`,
		},
		{
			"\x1b[31m rt=x", `
\x1b[31m rt=x

   timestamp   none
   host        none
   text        \x1b[31m rt=x
   form        none
   note        no PRI
   note        no time: the time of receipt stands
=  event       2026-02-12T06:26:00.000Z  the time of receipt
   in          /kinesyslog/syslog/514  log stream 192.0.2.7
   as          <13>1 2026-02-12T06:26:00.000000Z 192.0.2.7 - - - -  is put in front of it, because it has no PRI
   counted     no_header

`,
		},
		{
			"time=1770848055|hostname=cp-1", `
time=1770848055|hostname=cp-1
     tttttttttt          hhhh

t  timestamp   2026-02-11T22:14:15Z  from the text
h  host        cp-1  from the text
   text        time=1770848055|hostname=cp-1
   form        none
   note        no PRI
   note        the time is from the text, "1770848055"
   note        the host is from the text
=  event       2026-02-11T22:14:15.000Z  the message's own time
   in          /kinesyslog/syslog/514  log stream 192.0.2.7
   as          <13>1 2026-02-11T22:14:15.000000Z 192.0.2.7 - - - -  is put in front of it, because it has no PRI

`,
		},
	} {
		if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), explained(Printer{Width: 60}, c.message)); diff != "" {
			t.Errorf("%q: %s", c.message, diff)
		}
	}
}

func TestColoursSayNothingThatIsNotWritten(t *testing.T) {
	codes := regexp.MustCompile(`\x1b\[[0-9]+m`)
	for _, m := range messages(t) {
		plain, colored := explained(Printer{Width: 80}, string(m)), explained(Printer{Width: 80, Color: true}, string(m))
		if diff := cmp.Diff(plain, codes.ReplaceAllString(colored, "")); diff != "" {
			t.Errorf("%q: %s", m, diff)
		}
		if strings.Contains(plain, "\x1b") || !strings.Contains(colored, "\x1b") {
			t.Errorf("%q: colours do not depend on being asked for", m)
		}
	}
}

func TestLongMessagesAreShownInPart(t *testing.T) {
	got := explained(Printer{Width: 80}, "<13>"+strings.Repeat("x", 5000))
	if len(got) > 2500 || !strings.Contains(got, "and 4000 bytes more") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := explained(Printer{Width: 80}, ""); !strings.Contains(got, "an empty message") {
		t.Errorf("got %s", got)
	}
}
