package config

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kinesyslog/internal/access"
)

// env makes an Input's LookupEnv of pairs.
func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// flags makes an Input's Flags of words like those of a command line.
func flags(words ...string) map[string][]string {
	m := map[string][]string{}
	for _, w := range words {
		name, value, _ := strings.Cut(strings.TrimPrefix(w, "--"), "=")
		m[name] = append(m[name], value)
	}
	return m
}

// inEmptyDir makes sure that there is no certificate at the default paths.
func inEmptyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", dir)
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, in Input) *Listen {
	t.Helper()
	c, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultsAreThoseOfTheTable(t *testing.T) {
	inEmptyDir(t)
	write(t, "localhost.crt", "")
	write(t, "localhost.key", "")
	got := mustLoad(t, Input{Flags: flags("--stream=s"), LookupEnv: env("STATE_DIRECTORY", "/var/lib/kinesyslog:/other")})
	want := &Listen{
		Stream: "s", Address: "0.0.0.0", TLSPorts: []int{6514}, KeyPairs: []access.KeyPair{{Cert: "localhost.crt", Key: "localhost.key"}}, TLSMin: tls.VersionTLS12,
		SpoolDir: "/var/lib/kinesyslog", GroupPrefix: "/kinesyslog", AddHeader: true, Timezone: time.Local,
		MaxPast: 30 * 24 * time.Hour, MaxFuture: 24 * time.Hour, MaxMessageBytes: 65536, Compression: 6, PricePerGB: 0.029, FlushInterval: time.Minute, FlushIntervalMax: time.Minute, SyncInterval: time.Second,
		ShutdownTimeout: 30 * time.Second, UnixMode: 0o666, MaxConnectionMemory: 256 << 20,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Listen{}), sameZone); diff != "" {
		t.Error(diff)
	}
}

var sameZone = cmp.Comparer(func(a, b *time.Location) bool { return a == b || a.String() == b.String() })

func TestAWrongValueIsOneLineThatSaysWhereAndWhatToDo(t *testing.T) {
	inEmptyDir(t)
	for _, tt := range []struct{ flag, want string }{
		{"--udp-port=abc", `--udp-port: "abc" will not do: give a number from 0 to 65535`},
		{"--udp-port=65536", `--udp-port: "65536" will not do: give a number from 0 to 65535`},
		{"--tls-port=-1", `--tls-port: "-1" will not do: give a number from 0 to 65535`},
		{"--stream=arn:aws:firehose:x", `--stream: "arn:aws:firehose:x" is not a stream's name: give the name alone (not the ARN), up to 64 letters, digits, _, . and -`},
		{"--address=1.2.3.4:514", `--address: "1.2.3.4:514" is not an address to listen on: give an IP address or a host name, without a port`},
		{"--compression=best", `--compression: "best" will not do: give a number from 1 to 9, or auto`},
		{"--price-per-gb=-1", `--price-per-gb: "-1" is not a price: give it like 0.029, or 0 for none`},
		{"--price-per-gb=NaN", `--price-per-gb: "NaN" is not a price: give it like 0.029, or 0 for none`},
		{"--price-per-gb=0,029", `--price-per-gb: "0,029" is not a price: give it like 0.029, or 0 for none`},
		{"--flush-interval=60", `--flush-interval: "60" is not a time: give it with its unit, like 500ms, 60s or 2m`},
		{"--flush-interval=1h", `--flush-interval: 1h is out of range: give a time from 100ms to 15m0s`},
		{"--flush-interval-max=25h", `--flush-interval-max: 25h is out of range: give a time from 100ms to 24h0m0s`},
		{"--flush-interval-max=30s", `--flush-interval-max 30s is less than --flush-interval 1m0s: give more, or leave it out`},
		{"--stream-name=port", `--stream-name: "port" will not do: give address, hostname, certificate, endpoint, network or listener`},
		{"--stream-name=network/33", `--stream-name: "network/33" will not do: give network/8 to network/32, the length of an IPv4 prefix`},
		{"--stream-name=network/", `--stream-name: "network/" will not do: give network/8 to network/32, the length of an IPv4 prefix`},
		{"--max-message-bytes=1M", `--max-message-bytes: 1M is out of range: give a size from 480 to 256K`},
		{"--spool-max-bytes=1.5.5G", `--spool-max-bytes: "1.5.5G" is not a size: give a number, alone or with K, M, G or T, like 512M or 10GiB`},
		{"--tls-min=1.1", `--tls-min: "1.1" will not do: give 1.2 or 1.3`},
		{"--client-auth=yes", `--client-auth: "yes" will not do: give none, request or require`},
		{"--permit=sha-256:AA", `--permit: "sha-256:AA" is not a fingerprint: give 32 octets in hexadecimal behind the first colon`},
		{"--permit=@", `--permit: "" is not a file's name: give the path of a file`},
		{"--compression=10", `--compression: "10" will not do: give a number from 1 to 9, or auto`},
		{"--timezone-for=10.0.0.0/8", `--timezone-for: "10.0.0.0/8" is not a network and a zone: give it like 10.1.0.0/16=Europe/Oslo`},
		{"--timezone-for=10.0.0.0/33=UTC", `--timezone-for: "10.0.0.0/33" is not a network: give it like 10.1.0.0/16 or 2001:db8::/32`},
		{"--timezone-for=10.1.2.3/8=UTC", `--timezone-for: 10.1.2.3/8 has bits behind its /8: did you mean 10.0.0.0/8?`},
		{"--timezone-for=10.0.0.0/8=Nowhere", `--timezone-for: "Nowhere" is not a time zone that this machine knows: give a name like UTC or Europe/Oslo, or local`},
		{"--max-skew=soon", `--max-skew: "soon" is not a distance in time: give it like 30d, 36h or 1d12h, or 0 for no limit`},
		{"--max-skew=-1h", `--max-skew: "-1h" is not a distance in time: give it like 30d, 36h or 1d12h, or 0 for no limit`},
		{"--max-skew=30d,", `--max-skew: "" is not a distance in time: give it like 30d, 36h or 1d12h, or 0 for no limit`},
		{"--max-skew=40000d", `--max-skew: 40000d is more than a hundred years: give 0 to believe any time`},
		{"--timezone=Mars/Olympus", `--timezone: "Mars/Olympus" is not a time zone that this machine knows: give a name like UTC or Europe/Oslo, or local`},
		{"--endpoint-url=localhost:4573", `--endpoint-url: "localhost:4573" is not an address of an API: give it like http://127.0.0.1:4573`},
		{"--role-arn=admin", `--role-arn: "admin" is not a role's ARN: give it like arn:aws:iam::123456789012:role/NAME`},
		{"--owner=me", `--owner: "me" is not an account id: give its 12 digits`},
		{"--group-prefix=a b", `--group-prefix: "a b" is not a log group's name: use letters, digits, _, ., /, # and - only`},
		{"--debug=perhaps", `--debug: "perhaps" will not do: give true or false`},
		{"--cert=a\nb", `--cert: "a\nb" has control characters in it: take them out`},
		{"--tcp-port=6514", `port 6514 is given for TLS and for TCP: give one of them another port`},
		{"--prometheus-port=6514", `port 6514 is given for --prometheus-port and for syslog: give one of them another port`},
		{"--config=nowhere.yaml", `--config: there is no file nowhere.yaml: give the path of a YAML file`},
		{"--config=.", `--config: . is a directory: give the path of a YAML file`},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			write(t, "localhost.crt", "")
			write(t, "localhost.key", "")
			in := flags("--stream=s", "--udp-port=9")
			for name, values := range flags(tt.flag) {
				in[name] = values
			}
			_, err := Load(Input{Flags: in, LookupEnv: env()})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestAFileThatIsNotThereIsBlamedOnWhoNamedIt(t *testing.T) {
	inEmptyDir(t)
	_, err := Load(Input{LookupEnv: env("KINESYSLOG_CONFIG", "nowhere.yaml")})
	want := "KINESYSLOG_CONFIG: there is no file nowhere.yaml: give the path of a YAML file"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAllWrongValuesAreReportedAtOnce(t *testing.T) {
	_, err := Load(Input{
		Flags:     flags("--udp-port=5", "--udp-port=5", "--compression=0"),
		LookupEnv: env("KINESYSLOG_TCP_PORT", "x"),
	})
	want := "KINESYSLOG_TCP_PORT: \"x\" will not do: give a number from 0 to 65535\n" +
		"--udp-port: port 5 is given twice: take one away\n" +
		"--compression: \"0\" will not do: give a number from 1 to 9, or auto"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if e := new(Error); !errors.As(err, &e) || e.Origin != "KINESYSLOG_TCP_PORT" {
		t.Errorf("first error's origin is %q", e.Origin)
	}
}

func TestAStreamIsRequiredUnlessLocal(t *testing.T) {
	inEmptyDir(t)
	_, err := Load(Input{Flags: flags("--udp-port=9"), LookupEnv: env()})
	want := "no delivery stream is named: give --stream NAME, or --local DIRECTORY to try without AWS"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	c := mustLoad(t, Input{Flags: flags("--udp-port=9", "--local=d"), LookupEnv: env()})
	if c.Stream != "kinesyslog" {
		t.Errorf("stream is %q", c.Stream)
	}
}

func TestLocalFlushesWithinSecondsUnlessAskedOtherwise(t *testing.T) {
	inEmptyDir(t)
	for flush, want := range map[string]time.Duration{"": 3 * time.Second, "60s": time.Minute} { // and the most that it may be
		in := flags("--local=d")
		if flush != "" {
			in["flush-interval"] = []string{flush}
		}
		if c := mustLoad(t, Input{Flags: in, LookupEnv: env()}); c.FlushInterval != want || c.FlushIntervalMax != want {
			t.Errorf("asked for %q: got %s to %s, want %s", flush, c.FlushInterval, c.FlushIntervalMax, want)
		}
	}
}

func TestLocalRefusesWhatOnlyMeansSomethingWithAWS(t *testing.T) {
	inEmptyDir(t)
	_, err := Load(Input{Flags: flags("--local=d"), LookupEnv: env("KINESYSLOG_PROFILE", "p")})
	want := "KINESYSLOG_PROFILE has no meaning with --local, which needs no AWS: leave one of them out"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, dirs := range [][2]string{{"d", "d"}, {"d", "d/spool"}, {"s/d", "s"}} {
		_, err := Load(Input{Flags: flags("--local="+dirs[0], "--spool-dir="+dirs[1]), LookupEnv: env()})
		if err == nil || !strings.Contains(err.Error(), "are inside each other") {
			t.Errorf("local %s, spool %s: got %v", dirs[0], dirs[1], err)
		}
	}
	mustLoad(t, Input{Flags: flags("--local=d", "--spool-dir=d2"), LookupEnv: env()})
}

func TestPathsOfTheFileAreAsGiven(t *testing.T) {
	dir := inEmptyDir(t)
	write(t, filepath.Join(dir, "relay.yaml"), "stream: s\nudp-port: 9\nspool-dir: sub/spool\n")
	c := mustLoad(t, Input{Flags: flags("--config=" + filepath.Join(dir, "relay.yaml")), LookupEnv: env()})
	if c.SpoolDir != "sub/spool" {
		t.Errorf("spool directory %q", c.SpoolDir)
	}
}
