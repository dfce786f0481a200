package config

import (
	"strings"
	"testing"
)

func TestLogStreamsThatSendersShareAreNamedAfterNetworkOrListener(t *testing.T) {
	inEmptyDir(t)
	for _, c := range []struct{ naming, listener, address, want string }{
		{"network", "udp/514", "192.0.2.7", "192.0.2.0/24"},
		{"network/24", "udp/514", "192.0.2.7", "192.0.2.0/24"},
		{"network/8", "udp/514", "192.0.2.7", "192.0.0.0/8"},
		{"network/32", "udp/514", "192.0.2.7", "192.0.2.7/32"},
		{"network/20", "udp/514", "::ffff:192.0.2.7", "192.0.0.0/20"},
		{"network/8", "udp/514", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"network/24", "udp/514", "fe80::1%eth0", "fe80::/64"},
		{"network/24", "unix:/dev/log", "host.example.com", "host.example.com"},
		{"listener", "udp/514", "192.0.2.7", "udp/514"},
		{"listener", "unix:/dev/log", "host.example.com", "unix_/dev/log"},
	} {
		l := mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9", "--stream-name="+c.naming), LookupEnv: env()})
		if got := l.SharedStream()(c.listener, c.address); got != c.want {
			t.Errorf("%s, %s from %s: %q, want %q", c.naming, c.listener, c.address, got, c.want)
		}
	}
	for _, naming := range []string{"address", "hostname"} {
		if mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9", "--stream-name="+naming), LookupEnv: env()}).SharedStream() != nil {
			t.Errorf("senders share log streams with %s", naming)
		}
	}
}

func TestSendersMayNotDisappearBehindTheLogStreamsThatTheyShare(t *testing.T) {
	inEmptyDir(t)
	for _, naming := range []string{"network/16", "listener"} {
		_, err := Load(Input{Flags: flags("--stream=s", "--udp-port=9", "--stream-name="+naming, "--add-header=false"), LookupEnv: env()})
		if err == nil || !strings.Contains(err.Error(), "nothing would tell who sent a message") {
			t.Errorf("%s without added headers: %v", naming, err)
		}
	}
}
