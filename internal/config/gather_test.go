package config

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/access"
)

func TestEveryOptionIsTakenFromFlagEnvironmentAndFile(t *testing.T) {
	dir := inEmptyDir(t)
	write(t, "c.pem", "")
	// For each option a value that is not its default, and what must come of it.
	options := map[string]struct {
		value string
		want  func(*Listen) bool
	}{
		"stream":   {"other", func(c *Listen) bool { return c.Stream == "other" }},
		"address":  {"[::1]", func(c *Listen) bool { return c.Address == "::1" }},
		"port":     {"7001", func(c *Listen) bool { return cmp.Equal(c.TLSPorts, []int{7001}) }},
		"tls-port": {"7002", func(c *Listen) bool { return cmp.Equal(c.TLSPorts, []int{7002}) }},
		"cert":     {"c.pem", func(c *Listen) bool { return cmp.Equal(c.KeyPairs, []access.KeyPair{{Cert: "c.pem", Key: "c.pem"}}) }},
		"key":      {"c.pem", func(c *Listen) bool { return len(c.KeyPairs) == 1 && c.KeyPairs[0].Key == "c.pem" }},
		"tls-min":  {"1.3", func(c *Listen) bool { return c.TLSMin == tls.VersionTLS13 }},
		"client-ca": {"ca.pem", func(c *Listen) bool {
			return cmp.Equal(c.ClientCAs, []string{"ca.pem"}) && c.ClientAuth == access.Require
		}},
		"client-auth":                 {"request", func(c *Listen) bool { return c.ClientAuth == access.Request }},
		"permit":                      {"*.example.com", func(c *Listen) bool { return len(c.Permit) == 1 && c.Permit[0].String() == "*.example.com" }},
		"crl":                         {"r.pem", func(c *Listen) bool { return cmp.Equal(c.CRLs, []string{"r.pem"}) }},
		"tcp-port":                    {"7003", func(c *Listen) bool { return cmp.Equal(c.TCPPorts, []int{7003}) }},
		"udp-port":                    {"7004", func(c *Listen) bool { return cmp.Equal(c.UDPPorts, []int{7004}) }},
		"relp-port":                   {"7006", func(c *Listen) bool { return cmp.Equal(c.RELPPorts, []int{7006}) }},
		"relp-tls-port":               {"7007", func(c *Listen) bool { return cmp.Equal(c.RELPTLSPorts, []int{7007}) }},
		"dtls-port":                   {"7008", func(c *Listen) bool { return cmp.Equal(c.DTLSPorts, []int{7008}) }},
		"spool-dir":                   {dir + "/s", func(c *Listen) bool { return c.SpoolDir == dir+"/s" }},
		"spool-max-bytes":             {"1.5GiB", func(c *Listen) bool { return c.SpoolMaxBytes == 3<<29 }},
		"when-full":                   {"drop-oldest", func(c *Listen) bool { return c.DropOldest }},
		"local":                       {dir + "/d", func(c *Listen) bool { return c.Local == dir+"/d" && c.FlushInterval == 3*time.Second }},
		"region":                      {"eu-north-1", func(c *Listen) bool { return c.Region == "eu-north-1" }},
		"profile":                     {"p", func(c *Listen) bool { return c.Profile == "p" }},
		"role-arn":                    {"arn:aws:iam::123456789012:role/r", func(c *Listen) bool { return c.RoleARN == "arn:aws:iam::123456789012:role/r" }},
		"endpoint-url":                {"http://127.0.0.1:1", func(c *Listen) bool { return c.EndpointURL == "http://127.0.0.1:1" }},
		"owner":                       {"123456789012", func(c *Listen) bool { return c.Owner == "123456789012" }},
		"group-prefix":                {"/fw/", func(c *Listen) bool { return c.GroupPrefix == "/fw" }},
		"add-header":                  {"false", func(c *Listen) bool { return !c.AddHeader }},
		"timezone":                    {"UTC", func(c *Listen) bool { return c.Timezone == time.UTC }},
		"timezone-for":                {"10.1.0.0/16=UTC", func(c *Listen) bool { return c.ZoneOf("10.1.2.3") == time.UTC }},
		"max-skew":                    {"36h,0", func(c *Listen) bool { return c.MaxPast == 36*time.Hour && c.MaxFuture == 0 }},
		"max-message-bytes":           {"8K", func(c *Listen) bool { return c.MaxMessageBytes == 8192 }},
		"compression":                 {"9", func(c *Listen) bool { return c.Compression == 9 }},
		"price-per-gb":                {"0.5", func(c *Listen) bool { return c.PricePerGB == 0.5 }},
		"flush-interval":              {"5s", func(c *Listen) bool { return c.FlushInterval == 5*time.Second }},
		"flush-interval-max":          {"90m", func(c *Listen) bool { return c.FlushIntervalMax == 90*time.Minute && c.FlushInterval == time.Minute }},
		"sync-interval":               {"50ms", func(c *Listen) bool { return c.SyncInterval == 50*time.Millisecond }},
		"shutdown-timeout":            {"0s", func(c *Listen) bool { return c.ShutdownTimeout == 0 }},
		"prometheus-port":             {"7005", func(c *Listen) bool { return c.AdminAddress() == "127.0.0.1:7005" }},
		"gelf":                        {"true", func(c *Listen) bool { return c.GELF }},
		"unix":                        {"stream:/run/log", func(c *Listen) bool { return cmp.Equal(c.UnixSockets, []UnixSocket{{"/run/log", true}}) }},
		"unix-mode":                   {"0660", func(c *Listen) bool { return c.UnixMode == 0o660 }},
		"bind-hostname":               {"note", func(c *Listen) bool { return c.BindHostname == access.NoteHostname }},
		"stream-name":                 {"certificate", func(c *Listen) bool { return c.StreamName == ByCertificate }},
		"unix-owner":                  {"12:34", func(c *Listen) bool { return cmp.Equal(c.UnixOwner, &Owner{12, 34}) }},
		"user":                        {"nobody", func(c *Listen) bool { return c.User != nil && c.User.Name == "nobody" }},
		"max-connections":             {"20", func(c *Listen) bool { return c.MaxConnections == 20 }},
		"max-connections-per-address": {"3", func(c *Listen) bool { return c.MaxConnectionsPerAddress == 3 }},
		"max-connection-memory":       {"2M", func(c *Listen) bool { return c.MaxConnectionMemory == 2<<20 }},
		"rate-limit":                  {"1000", func(c *Listen) bool { return c.RateLimit == 1000 }},
		"idle-timeout":                {"1h", func(c *Listen) bool { return c.IdleTimeout == time.Hour }},
		"allow":                       {"10.0.0.0/8", func(c *Listen) bool { return len(c.Allow) == 1 && c.Allow[0].Networks[0].String() == "10.0.0.0/8" }},
		"proxy-trust":                 {"10.0.0.7", func(c *Listen) bool { return len(c.ProxyTrust) == 1 && c.ProxyTrust[0].String() == "10.0.0.7/32" }},
		"proxy-protocol":              {"6514", func(c *Listen) bool { return cmp.Equal(c.ProxyPorts, []int{6514}) }},
		"debug":                       {"true", func(c *Listen) bool { return c.Debug }},
	}
	for _, o := range Options() {
		for _, name := range o.names() {
			if name == configOption {
				continue // TestFlagsWinOverEnvironmentOverFileOverDefaults
			}
			tt, ok := options[name]
			if !ok {
				t.Errorf("option %s is not tested", name)
				continue
			}
			// A certificate is there for all cases; the option under test is added.
			base := func() map[string][]string {
				m := flags("--cert=c.pem", "--key=c.pem", "--client-ca=c.pem", "--stream=s")
				delete(m, name)
				return m
			}
			write(t, "localhost.crt", "")
			write(t, "localhost.key", "")
			write(t, "relay.yaml", name+": '"+tt.value+"'\n")

			byFlag := base()
			byFlag[name] = []string{tt.value}
			byFile := base()
			byFile["config"] = []string{"relay.yaml"}
			for place, in := range map[string]Input{
				"flag":        {Flags: byFlag, LookupEnv: env()},
				"environment": {Flags: base(), LookupEnv: env(envName(name), tt.value)},
				"file":        {Flags: byFile, LookupEnv: env()},
			} {
				if c := mustLoad(t, in); !tt.want(c) {
					t.Errorf("%s %s by %s: got %+v", name, tt.value, place, c)
				}
			}
		}
	}
}

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	inEmptyDir(t)
	write(t, "relay.yaml", "udp-port: [1001, 1002]\ncompression: 1\nstream: file\n")
	tests := []struct {
		name        string
		flags, env  []string
		udp         []int
		compression int
	}{
		{"defaults", []string{"--udp-port=9"}, nil, []int{9}, 6},
		{"file over defaults", []string{"--config=relay.yaml"}, nil, []int{1001, 1002}, 1},
		{
			"file named in the environment", nil,
			[]string{"KINESYSLOG_CONFIG", "relay.yaml"},
			[]int{1001, 1002},
			1,
		},
		{
			"environment over file",
			[]string{"--config=relay.yaml"},
			[]string{"KINESYSLOG_UDP_PORT", " 2001\t2002\n", "KINESYSLOG_COMPRESSION", "2"},
			[]int{2001, 2002},
			2,
		},
		{
			"flags over both",
			[]string{"--config=relay.yaml", "--udp-port=3001", "--udp-port=3002", "--compression=3"},
			[]string{"KINESYSLOG_UDP_PORT", "2001", "KINESYSLOG_COMPRESSION", "2"},
			[]int{3001, 3002},
			3,
		},
		{
			"the last of several flags counts where one value does",
			[]string{"--udp-port=9", "--compression=3", "--compression=4"},
			nil,
			[]int{9},
			4,
		},
		{
			"an empty variable is not set",
			[]string{"--config=relay.yaml"},
			[]string{"KINESYSLOG_UDP_PORT", "", "KINESYSLOG_COMPRESSION", " "},
			[]int{1001, 1002},
			1,
		},
		{
			"zero takes away what a weaker place asked for",
			[]string{"--config=relay.yaml", "--udp-port=0", "--tcp-port=9"},
			nil, nil, 1,
		},
		{
			"what Kubernetes says of its services is not ours",
			[]string{"--config=relay.yaml"},
			[]string{"KINESYSLOG_PORT", "tcp://10.0.0.1:6514"},
			[]int{1001, 1002},
			1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Flags: flags(tt.flags...), LookupEnv: env(append(tt.env, "KINESYSLOG_STREAM", "s", "KINESYSLOG_SPOOL_DIR", "spool")...)}
			c := mustLoad(t, in)
			if diff := cmp.Diff(tt.udp, c.UDPPorts); diff != "" {
				t.Error(diff)
			}
			if c.Compression != tt.compression {
				t.Errorf("compression %d, want %d", c.Compression, tt.compression)
			}
		})
	}
}

func TestAPathInTheEnvironmentMayHoldSpaces(t *testing.T) {
	inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9"), LookupEnv: env("KINESYSLOG_SPOOL_DIR", "a b")})
	if c.SpoolDir != "a b" {
		t.Errorf("spool directory %q, want %q", c.SpoolDir, "a b")
	}
}
