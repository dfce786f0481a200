package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnixSocketsAreOfDatagramsUnlessTheySayStream(t *testing.T) {
	inEmptyDir(t)
	c := mustLoad(t, Input{
		Flags:     flags("--stream=s", "--unix=/run/a", "--unix=dgram:/run/b", "--unix=stream:/run/c"),
		LookupEnv: env("KINESYSLOG_UNIX_MODE", "0660"),
	})
	want := []UnixSocket{{Path: "/run/a"}, {Path: "/run/b"}, {Path: "/run/c", Stream: true}}
	if d := cmp.Diff(want, c.UnixSockets); d != "" || c.UnixMode != 0o660 {
		t.Errorf("mode %o, sockets (-want +got):\n%s", c.UnixMode, d)
	}
	if len(c.TLSPorts) != 0 {
		t.Errorf("TLS without a certificate on %v", c.TLSPorts)
	}
}

func TestWrongUnixSocketsAreErrors(t *testing.T) {
	for flag, want := range map[string]string{
		"--unix=":            "give its path",
		"--unix=stream:":     "give its path",
		"--unix=stream:/a":   "/a is given twice",
		"--unix-mode=0":      "give it in octal",
		"--unix-mode=rw":     "give it in octal",
		"--unix-mode=1666":   "give it in octal",
		"--unix-mode=0668":   "give it in octal",
		"--unix=/run/\x01ab": "is not a socket",
	} {
		in := flags("--stream=s", "--udp-port=514", "--unix=/a")
		for name, values := range flags(flag) {
			in[name] = append(in[name], values...)
		}
		if _, err := Load(Input{Flags: in, LookupEnv: env()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", flag, err, want)
		}
	}
}
