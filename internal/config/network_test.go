package config

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNetworksAreOfBothFamiliesAndMayBeSingleAddresses(t *testing.T) {
	c := mustLoad(t, Input{
		Flags:     flags("--stream=s", "--port=0", "--udp-port=514", "--allow=192.0.2.0/24", "--allow=2001:db8::1", "--allow=::ffff:10.0.0.0/104"),
		LookupEnv: env("KINESYSLOG_PROXY_TRUST", "10.1.0.0/16 10.2.0.3"),
	})
	for _, tt := range []struct {
		name string
		got  []netip.Prefix
		want []string
	}{
		{"--allow", c.AllowedTo("udp/514").Networks, []string{"192.0.2.0/24", "2001:db8::1/128", "10.0.0.0/8"}},
		{"KINESYSLOG_PROXY_TRUST", c.ProxyTrust, []string{"10.1.0.0/16", "10.2.0.3/32"}},
	} {
		var got []string
		for _, p := range tt.got {
			got = append(got, p.String())
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

func TestWrongNetworksAreErrorsThatSayWhatToDo(t *testing.T) {
	for value, want := range map[string]string{
		"192.0.2.7/24":       "did you mean 192.0.2.0/24",
		"192.0.2":            "give it like 10.1.0.0/16",
		"::ffff:10.0.0.0/90": "is not a network",
		"":                   "give it like 10.1.0.0/16",
		"192.0.2.0/33":       "give it like 10.1.0.0/16",
		"@":                  "give the path of a file",
	} {
		_, err := Load(Input{Flags: flags("--stream=s", "--udp-port=514", "--allow="+value), LookupEnv: env()})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--allow: ") {
			t.Errorf("%q: error %v, want one with %q", value, err, want)
		}
	}
}

func TestProxyProtocolOfAnybodyIsWarnedOf(t *testing.T) {
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--port=0", "--udp-port=514", "--tcp-port=515", "--proxy-protocol=515"), LookupEnv: env()})
	if len(c.Warnings) == 0 || !strings.Contains(c.Warnings[0], "give --proxy-trust NETWORK") {
		t.Errorf("warnings are %q", c.Warnings)
	}
	if d := cmp.Diff([]int{515}, c.ProxyPorts); d != "" {
		t.Error(d)
	}
	_, err := Load(Input{Flags: flags("--stream=s", "--port=0", "--udp-port=514", "--proxy-protocol=515"), LookupEnv: env()})
	if err == nil || !strings.Contains(err.Error(), "--proxy-protocol 515: nothing listens on that port") {
		t.Errorf("a port that nobody listens on: %v", err)
	}
}
