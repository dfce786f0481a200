package batch

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/event"
)

func TestTooManyHostsAreLoggedWithWhoNamesThem(t *testing.T) {
	var texts []string
	for i := range maxHosts {
		texts = append(texts, fmt.Sprintf("<13>1 2024-01-02T03:04:05Z made-up-%d a - - - x", i))
	}
	g := &generation{}
	good := event.NewSource("tcp/514", "syslog", "514", "192.0.2.1")
	g.add(good, "<13>1 2024-01-02T03:04:05Z fw1 a - - - x")
	g.add(event.NewSource("udp/514", "syslog", "514", "192.0.2.66"), texts...)
	g.add(event.NewSource("tcp/514", "syslog", "514", "192.0.2.2"), "<13>1 2024-01-02T03:04:05Z fw2 a - - - x")
	var log bytes.Buffer
	c := converter(t, func(o *Options) {
		o.Rules.ByHost, o.Level, o.Logger = true, 1, slog.New(slog.NewTextHandler(&log, nil))
	})
	if err := c.Convert(g, g, &discard{}); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("told before it is published, which may never be:\n%s", &log)
	}
	c.Publish()
	for _, want := range []string{"--stream-name address", "--allow", "messages=2 ", "listener=udp/514 sender=192.0.2.66 hosts_of_sender=9999"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &log)
		}
	}
}

func TestTooManyHostsAreLoggedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l := &hostsLog{log: slog.New(slog.NewTextHandler(&log, nil))}
		many := &hosts{unnamed: 2, author: event.NewSource("tcp/514", "syslog", "514", "192.0.2.1"), authored: maxHosts}
		for i, step := range []struct {
			h     *hosts
			after time.Duration
			want  string // of messages, in a new line; "" for none
		}{
			{&hosts{known: maxHosts}, 0, ""},
			{many, 0, "messages=2 "},
			{many, hostsInterval - 1, ""},
			{&hosts{}, 1, ""},
			{many, 0, "messages=4 "},
		} {
			time.Sleep(step.after)
			log.Reset()
			l.tell(step.h)
			if got := log.String(); (step.want == "") != (got == "") || !strings.Contains(got, step.want) {
				t.Errorf("step %d: log %q, want %q", i, got, step.want)
			}
		}
	})
}
