package config

import (
	"strings"
	"testing"
)

func TestDTLSPortsAreCheckedAgainstOtherOptions(t *testing.T) {
	for _, tt := range []struct {
		name, want string // want: of the error; empty: none
		flags      []string
		noPair     bool
	}{
		{name: "alone", flags: []string{"--port=0", "--dtls-port=6514"}},
		{name: "beside TLS on the same port", flags: []string{"--dtls-port=6514", "--client-ca=ca.pem"}},
		{name: "beside UDP on the same port", flags: []string{"--dtls-port=514", "--udp-port=514"}, want: "port 514 is given for UDP and for DTLS"},
		{name: "without a certificate", flags: []string{"--port=0", "--dtls-port=6514"}, noPair: true, want: "TLS is asked for on port 6514"},
		{name: "with TLS 1.3 only", flags: []string{"--dtls-port=6514", "--tls-min=1.3"}, want: "DTLS is spoken in version 1.2 only"},
		{name: "with PROXY protocol", flags: []string{"--port=0", "--dtls-port=6514", "--proxy-protocol=6514"}, want: "nothing listens on that port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inEmptyDir(t)
			if !tt.noPair {
				write(t, "localhost.crt", "")
				write(t, "localhost.key", "")
			}
			_, err := Load(Input{Flags: flags(append(tt.flags, "--stream=s", "--spool-dir=spool")...), LookupEnv: env()})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
