package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// allowedTo describes who may send to a listener.
func allowedTo(c *Listen, listener string) (out []string) {
	a := c.AllowedTo(listener)
	if a == nil {
		return []string{"everybody"}
	}
	for _, p := range a.Networks {
		out = append(out, p.String())
	}
	for _, file := range a.Files {
		out = append(out, "@"+file)
	}
	return out
}

func TestNetworksOfAListenerTakeThePlaceOfThoseOfAll(t *testing.T) {
	listeners := []string{"--stream=s", "--port=0", "--udp-port=514", "--tcp-port=514", "--tcp-port=515", "--relp-port=2514"}
	file := filepath.Join(t.TempDir(), "relay.yaml")
	if err := os.WriteFile(file, []byte("allow: [\"udp/514=192.0.2.0/24\", 10.0.0.0/8]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		given Input
		want  map[string][]string
	}{
		{"nothing", Input{}, map[string][]string{"udp/514": {"everybody"}, "relp/2514": {"everybody"}}},
		{
			"for all and for one",
			Input{Flags: flags("--allow=192.0.2.0/24", "--allow=tcp/514=10.0.0.0/8", "--allow=::1", "--allow=tcp/514=2001:db8::/32")},
			map[string][]string{"tcp/514": {"10.0.0.0/8", "2001:db8::/32"}, "tcp/515": {"192.0.2.0/24", "::1/128"}, "udp/514": {"192.0.2.0/24", "::1/128"}},
		},
		{
			"for one only",
			Input{Flags: flags("--allow=relp/2514=::ffff:10.0.0.0/104")},
			map[string][]string{"relp/2514": {"10.0.0.0/8"}, "udp/514": {"everybody"}},
		},
		{
			"files",
			Input{Flags: flags("--allow=@/etc/a=b", "--allow=udp/514=@own", "--allow=udp/514=10.0.0.1")},
			map[string][]string{"udp/514": {"10.0.0.1/32", "@own"}, "tcp/514": {"@/etc/a=b"}},
		},
		{
			"environment",
			Input{LookupEnv: env("KINESYSLOG_ALLOW", "udp/514=10.0.0.0/8 192.0.2.7")},
			map[string][]string{"udp/514": {"10.0.0.0/8"}, "tcp/514": {"192.0.2.7/32"}},
		},
		{
			"configuration file",
			Input{Flags: flags("--config=" + file)},
			map[string][]string{"udp/514": {"192.0.2.0/24"}, "tcp/514": {"10.0.0.0/8"}},
		},
	} {
		in := Input{Flags: flags(listeners...), LookupEnv: tt.given.LookupEnv}
		for name, values := range tt.given.Flags {
			in.Flags[name] = values
		}
		if in.LookupEnv == nil {
			in.LookupEnv = env()
		}
		c := mustLoad(t, in)
		for listener, want := range tt.want {
			if d := cmp.Diff(want, allowedTo(c, listener)); d != "" {
				t.Errorf("%s: who may send to %s (-want +got):\n%s", tt.name, listener, d)
			}
		}
	}
}

func TestNetworksOfAListenerThatIsNotThereAreAnErrorWithThoseThatAre(t *testing.T) {
	for value, want := range map[string]string{
		"udp/515=10.0.0.0/8":         `there is no listener "udp/515": those of this configuration are udp/514, tcp/514, relp/2514`,
		"tcp=10.0.0.0/8":             `there is no listener "tcp"`,
		"tls/6514=10.0.0.0/8":        "a TLS listener needs --port, --cert and --key",
		"unix:/dev/log=10.0.0.0/8":   "--unix-mode and --unix-owner say who may send",
		"10.0.0.0/8=udp/514":         "does not begin with a listener: give it like udp/514=192.0.2.0/24",
		"=10.0.0.0/8":                "does not begin with a listener",
		"udp/514=":                   "give it like 10.1.0.0/16",
		"udp/514=192.0.2.7/24":       "did you mean 192.0.2.0/24",
		"udp/514=@":                  "give the path of a file",
		"udp/514=10.0.0.0/8,::1":     "give it like 10.1.0.0/16",
		"udp/514=tcp/514=10.0.0.0/8": "give it like 10.1.0.0/16",
	} {
		_, err := Load(Input{Flags: flags("--stream=s", "--port=0", "--udp-port=514", "--tcp-port=514", "--relp-port=2514", "--allow="+value), LookupEnv: env()})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--allow: ") {
			t.Errorf("%q: error %v, want one with %q", value, err, want)
		}
	}
}

func TestListenersThatWereLeftOpenBesideOthersAreWarnedOf(t *testing.T) {
	pair := filepath.Join(t.TempDir(), "pair")
	if err := os.WriteFile(pair, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	secure := []string{"--port=6514", "--cert=" + pair, "--key=" + pair}
	for _, tt := range []struct {
		name  string
		given []string
		want  string // in the only warning; "" for none
	}{
		{"all are open", []string{"--port=0"}, ""},
		{"all have some", []string{"--port=0", "--allow=10.0.0.0/8"}, ""},
		{"one has none", []string{"--port=0", "--allow=udp/514=10.0.0.0/8"}, "everybody may send to tcp/514: "},
		{"everybody is named", []string{"--port=0", "--allow=udp/514=10.0.0.0/8", "--allow=tcp/514=0.0.0.0/0", "--allow=tcp/514=::/0"}, ""},
		{"TLS for everybody", append(secure, "--allow=udp/514=10.0.0.0/8", "--allow=tcp/514=::1"), "everybody may send to tls/6514: "},
		{"TLS for those with a certificate", append(secure, "--permit=sha-1:"+strings.Repeat("AA:", 19)+"AA", "--allow=udp/514=10.0.0.0/8", "--allow=tcp/514=::1"), ""},
		{"nobody is left", []string{"--port=0", "--allow=10.0.0.0/8", "--allow=udp/514=::1", "--allow=tcp/514=::1"}, "let nobody in"},
	} {
		c := mustLoad(t, Input{Flags: flags(append([]string{"--stream=s", "--spool-dir=/var/lib/s", "--udp-port=514", "--tcp-port=514"}, tt.given...)...), LookupEnv: env()})
		if tt.want == "" && len(c.Warnings) > 0 || tt.want != "" && (len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], tt.want)) {
			t.Errorf("%s: warnings %q, want %q", tt.name, c.Warnings, tt.want)
		}
	}
}
