package config

import (
	"os"
	"strings"
	"testing"
)

func TestTLSWithoutCertificate(t *testing.T) {
	tests := []struct {
		name    string
		flags   []string
		env     []string
		files   []string // that are there
		wantErr string   // a part of it
		warn    string   // a part of it
		ports   int      // TLS ports left
		cert    string
		ourOwn  bool
	}{
		{
			name: "is left out with a warning if nobody asked for it", flags: []string{"--udp-port=9"},
			warn: "make them with kinesyslog cert",
		},
		{
			name: "is left out if half of the pair is there", flags: []string{"--udp-port=9"}, files: []string{"localhost.crt"},
			warn: "make them with kinesyslog cert",
		},
		{
			name: "is an error if there is nothing else to listen on", flags: nil,
			wantErr: "nothing to listen on: TLS has no certificate localhost.crt with key localhost.key; make them with kinesyslog cert",
		},
		{
			name: "is an error if a flag asked for the port", flags: []string{"--udp-port=9", "--port=6514"},
			wantErr: "TLS is asked for on port 6514, but there is no certificate localhost.crt with key localhost.key: make them with kinesyslog cert",
		},
		{
			name: "is an error if the alias asked for the port", flags: []string{"--udp-port=9", "--tls-port=6514"},
			wantErr: "TLS is asked for on port 6514",
		},
		{
			name: "is an error if the environment asked for the port", flags: []string{"--udp-port=9"}, env: []string{"KINESYSLOG_TLS_PORT", "6515"},
			wantErr: "TLS is asked for on port 6515",
		},
		{
			name: "is an error if a certificate was asked for", flags: []string{"--udp-port=9", "--cert=other.crt"}, files: []string{"localhost.crt", "localhost.key"},
			wantErr: "cannot read the TLS certificate: open other.crt: no such file or directory: make a pair with kinesyslog cert --cert other.crt --key localhost.key",
		},
		{
			name: "is an error if the key is a directory", flags: []string{"--udp-port=9", "--cert=a.crt", "--key=."}, files: []string{"a.crt"},
			wantErr: "cannot read the TLS key: . is not a file",
		},
		{
			name: "is left out with a warning beside RELP", flags: []string{"--relp-port=9"},
			warn: "make them with kinesyslog cert",
		},
		{
			name: "is an error if RELP over TLS was asked for", flags: []string{"--udp-port=9", "--relp-tls-port=2515"},
			wantErr: "TLS is asked for on port 2515, but there is no certificate localhost.crt with key localhost.key",
		},
		{
			name: "is an error if RELP over TLS was asked for and no other TLS", flags: []string{"--udp-port=9", "--port=0", "--relp-tls-port=2515"},
			wantErr: "TLS is asked for on port 2515",
		},
		{
			name: "comes up with one of our own if local and RELP over TLS was asked for", flags: []string{"--local=d", "--port=0", "--relp-tls-port=2515"},
			ourOwn: true,
		},
		{
			name: "takes the pair at the default paths for RELP over TLS alone", flags: []string{"--port=0", "--relp-tls-port=2515"}, files: []string{"localhost.crt", "localhost.key"},
			cert: "localhost.crt",
		},
		{
			name: "does not matter with port 0", flags: []string{"--udp-port=9", "--port=0"},
		},
		{
			name: "comes up with one of our own if local", flags: []string{"--local=d"},
			ports: 1, ourOwn: true,
		},
		{
			name: "comes up with one of our own if local and the port was asked for", flags: []string{"--local=d", "--port=6514", "--port=6515"},
			ports: 2, ourOwn: true,
		},
		{
			name: "is an error if local and a certificate was asked for", flags: []string{"--local=d", "--cert=other.crt"},
			wantErr: "cannot read the TLS certificate: open other.crt",
		},
		{
			name: "takes the pair at the default paths", flags: []string{"--port=6514"}, files: []string{"localhost.crt", "localhost.key"},
			ports: 1, cert: "localhost.crt",
		},
		{
			name: "takes the pair at the default paths if local, too", flags: []string{"--local=d"}, files: []string{"localhost.crt", "localhost.key"},
			ports: 1, cert: "localhost.crt",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inEmptyDir(t)
			for _, f := range tt.files {
				write(t, f, "")
			}
			c, err := Load(Input{
				Flags:     flags(append(tt.flags, "--stream=s", "--spool-dir=spool")...),
				LookupEnv: env(tt.env...),
			})
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got  %v\nwant %s", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			warnings := strings.Join(c.Warnings, "\n")
			if (tt.warn == "") != (warnings == "") || !strings.Contains(warnings, tt.warn) {
				t.Errorf("warnings %q, want %q", warnings, tt.warn)
			}
			var cert string
			if len(c.KeyPairs) > 0 {
				cert = c.KeyPairs[0].Cert
			}
			if len(c.TLSPorts) != tt.ports || cert != tt.cert || c.SelfSigned != tt.ourOwn {
				t.Errorf("got ports %v, certificate %q, self-signed %t", c.TLSPorts, cert, c.SelfSigned)
			}
		})
	}
}

func TestAllPortsZeroIsAnError(t *testing.T) {
	_, err := Load(Input{Flags: flags("--stream=s", "--port=0"), LookupEnv: env()})
	want := "nothing to listen on: give --tcp-port, --udp-port, --relp-port, --dtls-port, --unix or --port"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestASpoolAmongTemporaryFilesIsWarnedOfUnlessLocal(t *testing.T) {
	dir := inEmptyDir(t)
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--udp-port=9", "--port=0"), LookupEnv: env()})
	if !strings.HasPrefix(c.SpoolDir, dir+"/kinesyslog-") || len(c.Warnings) != 1 {
		t.Errorf("spool directory %s, warnings %q", c.SpoolDir, c.Warnings)
	}
	c = mustLoad(t, Input{Flags: flags("--local=d"), LookupEnv: env()})
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
	if _, err := os.Stat(c.SpoolDir); err == nil {
		t.Errorf("Load made %s", c.SpoolDir)
	}
}
