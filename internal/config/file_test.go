package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAFileHoldsOptionsByName(t *testing.T) {
	const file = `# the relay of the machine room
stream: room
port: &ports
  - 6514
  - "6515"   # quoted is fine
tcp-port: 514
udp-port: *ports
debug: true
`
	s, err := parseFile("relay.yaml", []byte(file), Options())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for name, v := range s {
		got[name] = v.values
	}
	want := map[string][]string{
		"stream": {"room"}, "port": {"6514", "6515"}, "tcp-port": {"514"}, "udp-port": {"6514", "6515"}, "debug": {"true"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnEmptyFileIsNoError(t *testing.T) {
	for _, file := range []string{"", "# nothing yet\n", "---\n", "~\n"} {
		if s, err := parseFile("relay.yaml", []byte(file), Options()); err != nil || len(s) != 0 {
			t.Errorf("%q: got %v, %v", file, s, err)
		}
	}
}

func TestAFilesErrorsNameTheLine(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"stream: s\n\nudp_port: 514\n", `relay.yaml:3: there is no option "udp_port": did you mean udp-port?`},
		{"--udp-ports: 514\n", `relay.yaml:1: there is no option "--udp-ports": did you mean udp-port?`},
		{"carrot: true\n", `relay.yaml:1: there is no option "carrot": see kinesyslog listen --help for those there are`},
		{"config: other.yaml\n", `relay.yaml:1: there is no option "config": see kinesyslog listen --help for those there are`},
		{"stream: a\nstream: b\n", `relay.yaml:2: stream: is given twice: take one away`},
		{"stream: [a, b]\n", `relay.yaml:1: stream: takes one value only: give it behind the colon`},
		{"stream:\nudp-port: 514\n", `relay.yaml:1: stream: has no value: give one, or take the line away`},
		{"udp-port:\n  - {a: 1}\n", `relay.yaml:1: udp-port: takes a value or a list of values: nothing may be nested in it`},
		{"udp-port: []\n", `relay.yaml:1: udp-port: is an empty list: give a value, or take the line away`},
		{"\n- stream\n", `relay.yaml:2: is not a list of options: write one option a line, like udp-port: 514`},
		{"stream: s\n---\nstream: t\n", `relay.yaml: holds more than one YAML document: keep one`},
		{"stream: s\nudp-port: 514: 515\n", `relay.yaml:2: not YAML: mapping values are not allowed in this context`},
		{"<<: {stream: s}\n", `relay.yaml:1: there is no option "<<": see kinesyslog listen --help for those there are`},
	} {
		_, err := parseFile("relay.yaml", []byte(tt.file), Options())
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q\ngot  %v\nwant %s", tt.file, err, tt.want)
		}
	}
}

func TestABadValueInAFileNamesTheLine(t *testing.T) {
	inEmptyDir(t)
	write(t, "relay.yaml", "stream: s\ntcp-port: 514\ncompression: 11\n")
	_, err := Load(Input{Flags: flags("--config=relay.yaml"), LookupEnv: env()})
	want := `relay.yaml:3: compression: "11" will not do: give a number from 1 to 9, or auto`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAHugeFileIsRefused(t *testing.T) {
	inEmptyDir(t)
	write(t, "relay.yaml", strings.Repeat("#", maxFileBytes+1))
	_, err := Load(Input{Flags: flags("--config=relay.yaml"), LookupEnv: env()})
	if err == nil || !strings.Contains(err.Error(), "more than any configuration") {
		t.Errorf("got %v", err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte("stream: s\nudp-port: [514, 515]\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? [x]\n: y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseFile("relay.yaml", data, Options())
		if err == nil {
			for name, v := range s {
				if len(v.values) == 0 {
					t.Errorf("%s has no value", name)
				}
			}
			return
		}
		if e := new(Error); !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "relay.yaml") {
			t.Errorf("error does not name the file: %v", err)
		}
	})
}
