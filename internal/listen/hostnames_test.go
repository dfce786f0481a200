package listen

import (
	"crypto/tls"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/dtls/v3"

	"kinesyslog/internal/access"
)

// streams returns the texts of the messages by log stream.
func (j *fakeJournal) streams() map[string][]string {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[string][]string{}
	for i, m := range j.got {
		out[j.names[i]] = append(out[j.names[i]], m.Text)
	}
	return out
}

// own, foreign and nameless are messages of a client whose certificate is for
// fw1.example.com.
var (
	own      = []string{"<13>1 - fw1.example.com - - - - a", "<13>Jan  2 03:04:05 FW1 app: b", "<13>1 - FW1.Example.COM. - - - - c"}
	foreign  = []string{"<13>1 - fw2.example.com - - - - d", "<13>Jan  2 03:04:05 localhost app: e", "<13>1 - 192.0.2.7 - - - - f"}
	nameless = []string{"<13>1 - - - - - - g", "no header at all"}
)

const (
	gelfOwn     = `{"version":"1.1","host":"\u0066w1","short_message":"h"}`
	gelfForeign = `{"version":"1.1","host":"fw2","short_message":"i"}`
)

func lines(texts ...string) string { return strings.Join(texts, "\n") + "\n" }

func TestACertificateSpeaksOnlyForHostsThatItBears(t *testing.T) {
	all := slices.Concat(own, foreign, nameless, []string{gelfOwn, gelfForeign})
	borne := slices.Concat(own, nameless, []string{gelfOwn})
	for _, tt := range []struct {
		name    string
		binding access.Binding
		anybody bool // shows no certificate
		byName  bool
		want    map[string][]string // by log stream
		foreign int
		logged  string
	}{
		{name: "off", binding: access.Unbound, want: map[string][]string{"127.0.0.1": all}},
		{
			name: "note", binding: access.NoteHostname, foreign: 4,
			want:   map[string][]string{"127.0.0.1": borne, "127.0.0.1/hostname-not-of-fw": append(slices.Clone(foreign), gelfForeign)},
			logged: `subject="CN=fw" fingerprint=sha-256:`,
		},
		{
			name: "note beside the certificate's name", binding: access.NoteHostname, byName: true, foreign: 4,
			want:   map[string][]string{"fw": borne, "fw/hostname-not-of-fw": append(slices.Clone(foreign), gelfForeign)},
			logged: `hostname=fw2 messages="delivered, with a note in the log stream's name"`,
		},
		{
			name: "refuse", binding: access.RefuseHostname, foreign: 4,
			want: map[string][]string{"127.0.0.1": borne}, logged: `hostname=fw2 messages=refused`,
		},
		{
			name: "note without a certificate", binding: access.NoteHostname, anybody: true, foreign: 8,
			want:   map[string][]string{"127.0.0.1": nameless, "127.0.0.1/hostname-without-certificate": slices.Concat(own, foreign, []string{gelfOwn, gelfForeign})},
			logged: `subject="no certificate"`,
		},
		{
			name: "refuse without a certificate", binding: access.RefuseHostname, anybody: true, foreign: 8,
			want: map[string][]string{"127.0.0.1": nameless}, logged: `subject="no certificate"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, relay, ours := newEnv(), testCertificate(t), newAuthority(t)
			e.journal.books = e.ledger
			config := relay.server()
			config.ClientAuth = tls.RequestClientCert
			l, stop := startTCP(t, e.tcp(TCPOptions{TLS: config, BindHostname: tt.binding, NameByCertificate: tt.byName}))
			client := relay.client()
			if !tt.anybody {
				client.Certificates = []tls.Certificate{ours.sign(t, "fw", "fw1.example.com")}
			}
			conn := dialTLS(t, l.Addr().String(), client)
			send(t, conn, lines(all...))
			finish(t, conn)
			stop()
			if d := cmp.Diff(tt.want, e.journal.streams()); d != "" {
				t.Errorf("log streams (-want +got):\n%s", d)
			}
			dropped := uint64(0)
			if tt.binding == access.RefuseHostname {
				dropped = uint64(tt.foreign)
			}
			if b := e.balance(t); b.Received != uint64(len(all)) || b.Dropped["hostname"] != dropped || b.Difference() != 0 {
				t.Errorf("ledger: %+v", b)
			}
			if tt.binding == access.Unbound {
				return
			}
			if n := e.metric(t, "kinesyslog_foreign_hostnames_total", ""); n != float64(tt.foreign) {
				t.Errorf("%v foreign host names counted, want %d", n, tt.foreign)
			}
			if text := e.log.String(); !strings.Contains(text, tt.logged) || !strings.Contains(text, "put the name into the certificate") || strings.Count(text, "\n") != 1 {
				t.Errorf("log, want one line with %s:\n%s", tt.logged, text)
			}
		})
	}
}

func TestHostNamesAreNotBoundWithoutTLS(t *testing.T) {
	e := newEnv()
	l, _ := startTCP(t, e.tcp(TCPOptions{BindHostname: access.RefuseHostname}))
	conn := dial(t, "tcp", l.Addr().String())
	send(t, conn, lines(own...), lines(foreign...))
	finish(t, conn)
	if d := cmp.Diff(slices.Concat(own, foreign), textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestGELFOnlyListenersBindItsHost(t *testing.T) {
	e, relay, ours := newEnv(), testCertificate(t), newAuthority(t)
	config := relay.server()
	config.ClientAuth = tls.RequestClientCert
	l, _ := startTCP(t, e.tcp(TCPOptions{TLS: config, Format: "gelf", BindHostname: access.RefuseHostname}))
	client := relay.client()
	client.Certificates = []tls.Certificate{ours.sign(t, "fw", "fw1.example.com")}
	conn := dialTLS(t, l.Addr().String(), client)
	send(t, conn, gelfOwn+"\x00"+gelfForeign+"\x00")
	finish(t, conn)
	if d := cmp.Diff([]string{gelfOwn}, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
}

func TestDTLSBindsHostNamesAndNamesLogStreamsAfterCertificates(t *testing.T) {
	for binding, want := range map[access.Binding]map[string][]string{
		access.Unbound:        {"fw": {own[0], foreign[0], gelfOwn, gelfForeign, nameless[0]}},
		access.NoteHostname:   {"fw": {own[0], gelfOwn, nameless[0]}, "fw/hostname-not-of-fw": {foreign[0], gelfForeign}},
		access.RefuseHostname: {"fw": {own[0], gelfOwn, nameless[0]}},
	} {
		t.Run(binding.String(), func(t *testing.T) {
			e, ours := newEnv(), newAuthority(t)
			store := ours.store(t, access.Options{Auth: access.Require, Authorities: []string{ours.file("ca.crt")}})
			l, stop := startDTLS(t, e.dtls(DTLSOptions{Access: store.Handshake, NameByCertificate: true, BindHostname: binding}))
			conn := dialDTLS(t, l, dtls.WithCertificates(ours.sign(t, "fw", "fw1.example.com")))
			send(t, conn, own[0], foreign[0], gelfOwn, gelfForeign, nameless[0])
			n := 0
			for texts := range maps.Values(want) {
				n += len(texts)
			}
			e.journal.wait(t, n)
			stop()
			if d := cmp.Diff(want, e.journal.streams()); d != "" {
				t.Errorf("log streams (-want +got):\n%s", d)
			}
			dropped := uint64(5 - n)
			if b := e.balance(t); b.Received != 5 || b.Dropped["hostname"] != dropped || b.Difference() != 0 {
				t.Errorf("ledger: %+v", b)
			}
		})
	}
}

func TestRELPRefusesForeignHostNamesWithAnErrorAndNothingElse(t *testing.T) {
	e, relay, ours := newRELPEnv(), testCertificate(t), newAuthority(t)
	e.journal.books = e.ledger
	config := relay.server()
	config.ClientAuth = tls.RequestClientCert
	l, stop := e.start(t, RELPOptions{TLS: config, BindHostname: access.RefuseHostname})
	client := relay.client()
	client.Certificates = []tls.Certificate{ours.sign(t, "fw", "fw1.example.com")}
	const no = "rsp 500 hostname is not one of the client's certificate"
	c := newRELPClient(t, dialTLS(t, l.Addr().String(), client))
	c.send(own[0], own[1], foreign[0], own[2], foreign[1])
	c.expect("2 rsp 200 OK", "3 rsp 200 OK", "4 "+no, "0 serverclose ", "closed")
	// The client forgets what was answered, and sends the rest again.
	c = newRELPClient(t, dialTLS(t, l.Addr().String(), client))
	c.send(own[2], foreign[1])
	c.expect("2 rsp 200 OK", "3 "+no, "0 serverclose ", "closed")
	c = newRELPClient(t, dialTLS(t, l.Addr().String(), client))
	c.send(foreign[2])
	c.expect("2 "+no, "0 serverclose ", "closed")
	stop()
	if d := cmp.Diff(own, textsOf(e.journal.messages())); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if b := e.balance(t); b.Received != 6 || b.Dropped["hostname"] != 3 || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
	for name, want := range map[string]float64{
		"kinesyslog_foreign_hostnames_total": 3, "kinesyslog_relp_acknowledged_total": 3, "kinesyslog_relp_unacknowledged_total": 0,
	} {
		if n := e.metric(t, name, ""); n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
}

func TestRELPNotesForeignHostNames(t *testing.T) {
	e, relay, ours := newRELPEnv(), testCertificate(t), newAuthority(t)
	config := relay.server()
	config.ClientAuth = tls.RequestClientCert
	l, _ := e.start(t, RELPOptions{TLS: config, BindHostname: access.NoteHostname})
	client := relay.client()
	client.Certificates = []tls.Certificate{ours.sign(t, "fw", "fw1.example.com")}
	c := newRELPClient(t, dialTLS(t, l.Addr().String(), client))
	c.send(own[0], foreign[0], nameless[0])
	c.acknowledged(2, 4)
	want := map[string][]string{"127.0.0.1": {own[0], nameless[0]}, "127.0.0.1/hostname-not-of-fw": {foreign[0]}}
	if d := cmp.Diff(want, e.journal.streams()); d != "" {
		t.Errorf("log streams (-want +got):\n%s", d)
	}
}
