package relay

import (
	"net"
	"os"
	"strings"
	"testing"
)

// fileOf duplicates a socket's descriptor, as systemd passes it.
func fileOf(t *testing.T, s interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSocketsThatCannotServeAreRefusedWithWhatToDo(t *testing.T) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path := t.TempDir() + "/socket"
	u, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for want, files := range map[string][]*os.File{
		"second one":     {fileOf(t, l), fileOf(t, l)},
		"Accept=no":      {fileOf(t, c)},
		"no IPv4 or IPv": {fileOf(t, l), fileOf(t, u)},
	} {
		if _, err := newInherited(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		for _, f := range files {
			if f.Close() == nil {
				t.Errorf("%s: a socket was left open", want)
			}
		}
	}
}
