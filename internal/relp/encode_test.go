package relp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClientFramesAreWhatLibrelpSends(t *testing.T) {
	got := AppendOpen(nil, 1, "kinesyslog,1,https://example.org")
	got = AppendSyslog(got, 2, []byte("<13>hello"))
	got = AppendSyslog(got, 3, nil)
	got = AppendClose(got, 4)
	want := "1 open 77 relp_version=0\nrelp_software=kinesyslog,1,https://example.org\ncommands=syslog\n" +
		"2 syslog 9 <13>hello\n3 syslog 0\n4 close 0\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestResponsesAreRead(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Response
		ok   bool
	}{
		{"200 OK", Response{200, []byte("OK"), nil}, true},
		{"200 OK\nrelp_version=0\ncommands=syslog", Response{200, []byte("OK"), []byte("relp_version=0\ncommands=syslog")}, true},
		{"500 no such thing", Response{500, []byte("no such thing"), nil}, true},
		{"200", Response{200, []byte{}, nil}, true},
		{"", Response{200, nil, nil}, true},
		{"20", Response{}, false},
		{"2000 OK", Response{}, false},
		{"OK", Response{}, false},
		{"200OK", Response{}, false},
	} {
		got, err := ParseResponse([]byte(tc.in))
		if (err == nil) != tc.ok {
			t.Errorf("%q: %v", tc.in, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q: %s", tc.in, diff)
		}
	}
}
