package config

import (
	"strings"
	"testing"

	"kinesyslog/internal/access"
)

func TestHostNamesAreBoundOnlyWhereCertificatesAreShown(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flags   []string
		want    access.Binding
		warns   []string // each in a warning
		wantErr string
	}{
		{name: "not asked for", flags: []string{"--client-ca=ca.pem"}},
		{name: "off needs nothing", flags: []string{"--bind-hostname=off"}},
		{name: "required certificates", flags: []string{"--client-ca=ca.pem", "--bind-hostname=refuse"}, want: access.RefuseHostname},
		{name: "over DTLS", flags: []string{"--port=0", "--dtls-port=9", "--client-ca=ca.pem", "--bind-hostname=note"}, want: access.NoteHostname},
		{name: "over RELP", flags: []string{"--port=0", "--relp-tls-port=9", "--client-ca=ca.pem", "--bind-hostname=note"}, want: access.NoteHostname},
		{
			name: "certificates that need not be shown", flags: []string{"--client-ca=ca.pem", "--client-auth=request", "--bind-hostname=refuse"}, want: access.RefuseHostname,
			warns: []string{"clients that show no certificate bear no host name, so whatever names one of them is refused"},
		},
		{
			name: "likewise, noted", flags: []string{"--client-ca=ca.pem", "--client-auth=request", "--bind-hostname=note"}, want: access.NoteHostname,
			warns: []string{"so whatever names one of them is noted"},
		},
		{
			name: "beside ports without certificates", flags: []string{"--client-ca=ca.pem", "--bind-hostname=note", "--udp-port=514", "--tcp-port=514", "--relp-port=2514"}, want: access.NoteHostname,
			warns: []string{"has no effect on udp/514, tcp/514, relp/2514"},
		},
		{name: "no certificates", flags: []string{"--bind-hostname=note"}, wantErr: "no client shows a certificate to compare host names with"},
		{name: "no TLS", flags: []string{"--port=0", "--udp-port=9", "--bind-hostname=refuse"}, wantErr: "--bind-hostname refuse: no client shows a certificate"},
		{name: "something else", flags: []string{"--bind-hostname=yes"}, wantErr: `--bind-hostname: "yes" will not do: give off, note or refuse`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inEmptyDir(t)
			write(t, "localhost.crt", "")
			write(t, "localhost.key", "")
			c, err := Load(Input{Flags: flags(append(tt.flags, "--stream=s", "--spool-dir=spool")...), LookupEnv: env()})
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got  %v\nwant %s", err, tt.wantErr)
				}
				return
			}
			if err != nil || c.BindHostname != tt.want {
				t.Fatalf("got %v, %v, want %v", c.BindHostname, err, tt.want)
			}
			if len(c.Warnings) != len(tt.warns) {
				t.Errorf("warnings: %q", c.Warnings)
			}
			for i, w := range tt.warns {
				if !strings.Contains(c.Warnings[i], w) {
					t.Errorf("warning %q, want %q in it", c.Warnings[i], w)
				}
			}
		})
	}
}

func TestNamesOfEndpointsNeedATrustedBalancer(t *testing.T) {
	inEmptyDir(t)
	for _, tt := range []struct{ options, want string }{
		{"--proxy-trust=10.0.0.0/24", ""},
		{"", "believed only of --proxy-trust"},
		{"--proxy-protocol=514", "believed only of --proxy-trust"},
	} {
		_, err := Load(Input{Flags: flags(append(strings.Fields(tt.options), "--stream=s", "--spool-dir=spool", "--port=0", "--tcp-port=514", "--stream-name=endpoint")...), LookupEnv: env()})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want one with %q", tt.options, err, tt.want)
		}
	}
}
