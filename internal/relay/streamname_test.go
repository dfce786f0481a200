package relay

import (
	"crypto/tls"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/cert"
)

func TestLogStreamsAreNamedAsAskedFor(t *testing.T) {
	dir := t.TempDir()
	own, _ := selfSigned(t)
	pair, client := selfSigned(t)
	crt, key := filepath.Join(dir, "own.crt"), filepath.Join(dir, "own.key")
	if err := own.Write(crt, key, false); err != nil {
		t.Fatal(err)
	}
	name := pair.Leaf.Subject.CommonName
	if name == "" {
		name = pair.Leaf.DNSNames[0]
	}
	for naming, want := range map[string][]string{
		"address":     {"127.0.0.1 tcp", "127.0.0.1 tls"},
		"hostname":    {"fw1 tcp", "fw1 tls"},
		"certificate": {"127.0.0.1 tcp", name + " tls"},
		"network/8":   {"127.0.0.0/8 tcp", "127.0.0.0/8 tls"},
		"listener":    {"tcp/PORT tcp", "tls/PORT tls"},
	} {
		t.Run(naming, func(t *testing.T) {
			delivered := t.TempDir()
			r := start(t, t.TempDir(), map[string]string{
				"local": delivered, "cert": crt, "key": key, "permit": cert.Fingerprint(client.Certificate[0]), "stream-name": naming,
			})
			send(t, "tcp", r.tcp, []string{"<13>1 - fw1 - - - - tcp"})
			conn, err := tls.Dial("tcp", r.tls, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{client}})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "<13>1 - fw1 - - - - tls\n")
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF { // it has been read to its end
				t.Fatal(err)
			}
			conn.Close()
			r.shutdown()
			a, err := archive.Open(t.Context(), archive.Options{}, delivered)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for e, err := range a.Events(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				stream := e.LogStream
				for _, address := range []string{r.tcp, r.tls} {
					stream = strings.ReplaceAll(stream, address[strings.LastIndex(address, ":")+1:], "PORT")
				}
				got = append(got, stream+" "+e.Message[len(e.Message)-3:])
			}
			slices.Sort(got)
			slices.Sort(want)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
