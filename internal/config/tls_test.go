package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/access"
)

const someFingerprint = "sha-1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"

func TestClientCertificatesAreRequiredWhereAPolicyIsGiven(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flags   []string
		want    access.Auth
		wantErr string
	}{
		{name: "nothing given", want: access.None},
		{name: "authority", flags: []string{"--client-ca=ca.pem"}, want: access.Require},
		{name: "fingerprint", flags: []string{"--permit=" + someFingerprint}, want: access.Require},
		{name: "file of rules", flags: []string{"--permit=@rules"}, want: access.Require},
		{name: "asked for otherwise", flags: []string{"--client-ca=ca.pem", "--client-auth=request"}, want: access.Request},
		{name: "none is the default", flags: []string{"--client-auth=none"}, want: access.None},
		{
			name: "policy that is not asked for", flags: []string{"--client-ca=ca.pem", "--client-auth=none"},
			wantErr: "have no meaning with --client-auth none",
		},
		{name: "nothing to compare with", flags: []string{"--client-auth=require"}, wantErr: "give --client-ca, or --permit with their fingerprints"},
		{name: "name without authority", flags: []string{"--permit=fw.example.com"}, wantErr: "--permit fw.example.com needs --client-ca"},
		{name: "list without authority", flags: []string{"--permit=" + someFingerprint, "--crl=r.pem"}, wantErr: "--crl needs --client-ca"},
		{name: "list alone", flags: []string{"--crl=r.pem"}, wantErr: "have no meaning with --client-auth none"},
		{
			name: "no TLS listener", flags: []string{"--port=0", "--udp-port=9", "--permit=" + someFingerprint},
			wantErr: "--permit has no meaning without a TLS listener",
		},
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
			if err != nil || c.ClientAuth != tt.want {
				t.Errorf("got %v, %v, want %v", c.ClientAuth, err, tt.want)
			}
		})
	}
}

func TestEveryCertificateHasItsKey(t *testing.T) {
	inEmptyDir(t)
	for _, f := range []string{"a.crt", "a.key", "b.crt", "b.key"} {
		write(t, f, "")
	}
	c := mustLoad(t, Input{Flags: flags("--stream=s", "--cert=a.crt", "--cert=b.crt", "--key=a.key", "--key=b.key"), LookupEnv: env()})
	want := []access.KeyPair{{Cert: "a.crt", Key: "a.key"}, {Cert: "b.crt", Key: "b.key"}}
	if d := cmp.Diff(want, c.Access().Pairs); d != "" {
		t.Error(d)
	}
	_, err := Load(Input{Flags: flags("--stream=s", "--cert=a.crt", "--cert=b.crt", "--key=a.key"), LookupEnv: env()})
	if err == nil || !strings.Contains(err.Error(), "give one key for each certificate") {
		t.Errorf("got %v", err)
	}
}
