package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/config"
	"kinesyslog/internal/relay"
)

func TestTheReportSaysWhatListensAndWhatToTry(t *testing.T) {
	udp := relay.Listener{Name: "udp/5514", Network: "udp", Address: "0.0.0.0:5514"}
	tcp := relay.Listener{Name: "tcp/5514", Network: "tcp", Address: "[::]:5514"}
	tls := relay.Listener{Name: "tls/6514", Network: "tls", Address: "192.0.2.1:6514", TLS: true, Fingerprint: "sha-256:AA"}
	unix := relay.Listener{Name: "unix:/run/my log", Network: "unix", Address: "/run/my log"}
	for _, tt := range []struct {
		name      string
		cfg       config.Listen
		listeners []relay.Listener
		want      string
	}{
		{
			"local",
			config.Listen{Stream: "kinesyslog", Local: "my dir", FlushInterval: 3 * time.Second},
			[]relay.Listener{tls, tcp, udp},
			`listening
  tls  192.0.2.1:6514  sha-256:AA
  tcp  [::]:5514
  udp  0.0.0.0:5514
delivering
  to stream kinesyslog of the embedded Firehose, in my dir, every 3s
try
  logger -n 127.0.0.1 -P 5514 -d hello
look
  bin/kinesyslog cat './my dir'
`,
		},
		{
			"region",
			config.Listen{Stream: "logs", Region: "eu-north-1", FlushInterval: time.Minute, PrometheusPort: 9100},
			[]relay.Listener{tls, tcp},
			`listening
  tls  192.0.2.1:6514  sha-256:AA
  tcp  [::]:5514
delivering
  to stream logs in eu-north-1, every 1m0s
status
  http://127.0.0.1:9100/
try
  logger -n ::1 -P 5514 -T hello
`,
		},
		{
			"endpoint",
			config.Listen{Stream: "logs", Region: "eu-north-1", EndpointURL: "http://127.0.0.1:4573", FlushInterval: time.Minute, FlushIntervalMax: 10 * time.Minute},
			[]relay.Listener{tls},
			`listening
  tls  192.0.2.1:6514  sha-256:AA
delivering
  to stream logs at http://127.0.0.1:4573, every 1m0s to 10m0s
try
  echo '<13>hello' | openssl s_client -quiet -connect 192.0.2.1:6514
`,
		},
		{
			"RELP, which no common tool speaks",
			config.Listen{Stream: "logs", FlushInterval: time.Minute},
			[]relay.Listener{
				{Name: "relp/2514", Network: "relp", Address: "0.0.0.0:2514"},
				{Name: "relps/2515", Network: "relps", Address: "0.0.0.0:2515", TLS: true, Fingerprint: "sha-256:AA"},
			},
			`listening
  relp   0.0.0.0:2514
  relps  0.0.0.0:2515  sha-256:AA
delivering
  to stream logs, every 1m0s
`,
		},
		{
			"Unix socket",
			config.Listen{Stream: "logs", FlushInterval: time.Minute},
			[]relay.Listener{unix},
			`listening
  unix  /run/my log
delivering
  to stream logs, every 1m0s
try
  logger -u '/run/my log' hello
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			reportListening(&got, "bin/kinesyslog", &tt.cfg, tt.listeners)
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPathInTheReportCanBePastedIntoAShell(t *testing.T) {
	for in, want := range map[string]string{
		"delivered": "./delivered", "./d": "./d", "../d": "../d", "/var/d": "/var/d", "-d": "./-d", "a'b": `'./a'\''b'`, "~": "'./~'",
	} {
		if got := shellWord(relativePath(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestTheReportNamesTheProgramAsItWasStarted(t *testing.T) {
	for arg0, want := range map[string]string{
		"kinesyslog":                           "kinesyslog",
		"bin/kinesyslog":                       "bin/kinesyslog",
		"/tmp/go-build123/b001/exe/kinesyslog": "go run ./cmd/kinesyslog",
		"/opt/my tools/kinesyslog":             "'/opt/my tools/kinesyslog'",
	} {
		if got := invocation(arg0); got != want {
			t.Errorf("%s: got %s, want %s", arg0, got, want)
		}
	}
}
