package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kinesyslog/internal/cert"
)

// ownPair writes a certificate of ours into a directory.
func ownPair(t *testing.T, dir, name string, hosts ...string) (KeyPair, *cert.Pair) {
	t.Helper()
	pair, err := cert.Generate(cert.Request{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	p := KeyPair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	if err := pair.Write(p.Cert, p.Key, true); err != nil {
		t.Fatal(err)
	}
	return p, pair
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Pairs == nil {
		p, _ := ownPair(t, t.TempDir(), "own")
		o.Pairs = []KeyPair{p}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestABadNewFileIsRefusedAndTheOldOneStays(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	dir := t.TempDir()
	pair, _ := ownPair(t, dir, "own")
	other, _ := ownPair(t, t.TempDir(), "other")
	expired, err := cert.Generate(cert.Request{Validity: time.Hour, Now: time.Now().Add(-2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	ca := putCA(t, a)
	list := put(t, filepath.Join(dir, "crl"), a.revoke(time.Now().Add(time.Hour)))
	allowed := put(t, filepath.Join(dir, "rules"), []byte("fw.example.com\n"))
	var log bytes.Buffer
	var told []error
	s := open(t, Options{
		Pairs: []KeyPair{pair}, Auth: Require, Authorities: []string{ca}, Revocations: []string{list}, PermitFiles: []string{allowed},
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Reread: func(err error) { told = append(told, err) },
	})
	before := s.Certificates()[0].Leaf
	client := clientConfig(tls.VersionTLS13, a.client(t, named("fw.example.com")))
	for _, tt := range []struct {
		name  string
		spoil func() error
		want  string
	}{
		{"certificate without its key", func() error { return os.Rename(other.Cert, pair.Cert) }, "private key does not match"},
		{"certificate that is none", func() error { return os.WriteFile(pair.Cert, []byte("x"), 0o600) }, "cannot use the TLS certificate"},
		{"key gone", func() error { return os.Remove(pair.Key) }, "cannot read the TLS key"},
		{"expired certificate", func() error { return expired.Write(pair.Cert, pair.Key, true) }, "has expired on"},
		{"authority that is none", func() error { return os.WriteFile(ca, []byte("x"), 0o600) }, "there is no certificate in --client-ca"},
		{"list that is none", func() error { return os.WriteFile(list, []byte("x"), 0o600) }, "cannot use --crl"},
		{"rules that are empty", func() error { return os.WriteFile(allowed, nil, 0o600) }, "holds no rule"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kept := map[string][]byte{}
			for _, file := range s.opts.files() {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				kept[file] = data
			}
			if err := tt.spoil(); err != nil {
				t.Fatal(err)
			}
			log.Reset()
			err := s.Reload()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(log.String(), "what was read before stays in use") {
				t.Errorf("got %v, want %s; log %s", err, tt.want, log.String())
			}
			if told[len(told)-1] == nil {
				t.Error("nobody was told")
			}
			if r := shake(t, s, client); r.client != nil || !r.state.PeerCertificates[0].Equal(before) {
				t.Errorf("the old ones are not in use any more: %v, %v", r.client, r.server)
			}
			for file, data := range kept {
				put(t, file, data)
			}
		})
	}
	if err := s.Reload(); err != nil || told[len(told)-1] != nil {
		t.Errorf("good ones are refused: %v", err)
	}
}

func TestChangedFilesAreReadOnceTheyAreAtRest(t *testing.T) {
	dir := t.TempDir()
	pair, first := ownPair(t, dir, "own")
	_, second := ownPair(t, t.TempDir(), "next")
	synctest.Test(t, func(t *testing.T) {
		var reread []error
		s := open(t, Options{Pairs: []KeyPair{pair}, Reread: func(err error) { reread = append(reread, err) }})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		look := func(n int) {
			time.Sleep(time.Duration(n) * pollInterval)
			synctest.Wait()
		}
		look(10)
		if len(reread) != 0 {
			t.Fatalf("files that did not change were reread: %v", reread)
		}
		time.Sleep(pollInterval / 2)
		put(t, pair.Cert, second.CertPEM)
		look(1) // seen, but the key has not come yet
		put(t, pair.Key, second.KeyPEM)
		look(3)
		if len(reread) != 1 || reread[0] != nil || !s.Certificates()[0].Leaf.Equal(second.Leaf) {
			t.Errorf("reread %v, in use is number %s", reread, s.Certificates()[0].Leaf.SerialNumber)
		}
		put(t, pair.Cert, first.CertPEM) // and no key
		look(10)
		if len(reread) != 2 || reread[1] == nil {
			t.Errorf("a bad pair was tried %d times, want once: %v", len(reread)-1, reread)
		}
		put(t, pair.Key, first.KeyPEM)
		look(3)
		if len(reread) != 3 || reread[2] != nil || !s.Certificates()[0].Leaf.Equal(first.Leaf) {
			t.Errorf("the pair that became good was not read: %v", reread)
		}
	})
}

func TestWhatExpiresSoonIsWarnedOf(t *testing.T) {
	a := newAuthority(t, "ours", nil)
	dir := t.TempDir()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name              string
		certificate, list time.Duration // until its end
		want              []string      // in the log
	}{
		{"nothing", 31 * day, 25 * time.Hour, nil},
		{"certificate", 29 * day, 25 * time.Hour, []string{"level=WARN", "TLS certificate expires soon", "days=28"}},
		{"certificate, gone", -time.Minute, 25 * time.Hour, []string{"level=ERROR", "TLS certificate has expired"}},
		{"list", 31 * day, 23 * time.Hour, []string{"level=WARN", "revocation list expires soon"}},
		{"list, gone", 31 * day, -time.Minute, []string{"level=ERROR", "revocation list has expired"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made, err := cert.Generate(cert.Request{Validity: 40 * day, Now: time.Now().Add(tt.certificate - 40*day)})
			if err != nil {
				t.Fatal(err)
			}
			pair := KeyPair{Cert: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k")}
			if err := made.Write(pair.Cert, pair.Key, true); err != nil {
				t.Fatal(err)
			}
			list := put(t, filepath.Join(dir, "crl"), a.revoke(time.Now().Add(tt.list)))
			var log bytes.Buffer
			s := open(t, Options{
				Pairs: []KeyPair{pair}, Auth: Require, Authorities: []string{putCA(t, a)}, Revocations: []string{list},
				Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			s.warn(time.Now())
			if (len(tt.want) == 0) != (log.Len() == 0) {
				t.Errorf("log %q", log.String())
			}
			for _, want := range tt.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log %q, want %s", log.String(), want)
				}
			}
		})
	}
}
