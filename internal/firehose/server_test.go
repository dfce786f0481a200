package firehose_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"kinesyslog/internal/firehose"
)

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, opts := range map[string]firehose.Options{
		"no directory":      {},
		"negative buffer":   {Dir: t.TempDir(), BufferBytes: -1},
		"negative interval": {Dir: t.TempDir(), BufferInterval: -1},
		"account":           {Dir: t.TempDir(), Account: "12345"},
		"region":            {Dir: t.TempDir(), Region: "us east"},
		"stream name":       {Dir: t.TempDir(), Streams: []string{"a/b"}},
		"dots":              {Dir: t.TempDir(), Streams: []string{".."}},
		"probability":       {Dir: t.TempDir(), Faults: firehose.Faults{FailRecords: 1.1}},
	} {
		if s, err := firehose.New(opts); err == nil {
			t.Errorf("%s: accepted", name)
			_ = s.Close()
		}
	}
}

func TestOneServerAtATimeUsesADirectory(t *testing.T) {
	r := newRig(t, firehose.Options{})
	if _, err := firehose.New(firehose.Options{Dir: r.dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second server: %v", err)
	}
	r.close(t)
	s, err := firehose.New(firehose.Options{Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestShutdownDeliversWhatWasAcknowledgedAndRefusesTheRest(t *testing.T) {
	r := newRig(t, firehose.Options{Streams: []string{"a", "b"}})
	r.put(t, "a", "one", "two")
	r.put(t, "b", "three")
	if n := len(r.close(t)); n != 2 {
		t.Errorf("%d objects delivered, want 2", n)
	}
	if got := contents(t, r.dir, "a") + contents(t, r.dir, "b"); got != "onetwothree" {
		t.Errorf("objects hold %q", got)
	}
	_, err := r.batch("a", "four")
	wantCode(t, err, "ServiceUnavailableException")
	if err := r.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestConcurrentPutsAreAllDeliveredOnce(t *testing.T) {
	const producers, calls = 8, 25
	r := newRig(t, firehose.Options{Streams: []string{"a", "b"}, BufferBytes: 5000, BufferInterval: 5 * time.Millisecond})
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			for c := range calls {
				// A marker around the call's records shows a call that was torn.
				mark := string(rune('a'+p)) + string(rune('a'+c))
				r.put(t, []string{"a", "b"}[p%2], "<"+mark, strings.Repeat("x", 100*c), mark+">")
			}
		})
	}
	group.Wait()
	objects := r.close(t)
	got := contents(t, r.dir, "a") + contents(t, r.dir, "b")
	var bytes int64
	records := 0
	for _, o := range objects {
		bytes += o.Bytes
		records += o.Records
	}
	if bytes != int64(len(got)) || records != 3*producers*calls {
		t.Errorf("reported %d bytes and %d records, want %d and %d", bytes, records, len(got), 3*producers*calls)
	}
	for p := range producers {
		for c := range calls {
			mark := string(rune('a'+p)) + string(rune('a'+c))
			if n := strings.Count(got, "<"+mark+strings.Repeat("x", 100*c)+mark+">"); n != 1 {
				t.Errorf("call %s was delivered %d times", mark, n)
			}
		}
	}
	if len(objects) < 4 {
		t.Errorf("%d objects: buffering did nothing", len(objects))
	}
}

func TestServeEndsWithoutErrorAtClose(t *testing.T) {
	s, err := firehose.New(firehose.Options{Dir: t.TempDir(), Streams: []string{"logs"}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	r := &rig{Client: newClient("http://" + ln.Addr().String())}
	r.put(t, "logs", "x")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A client could take an empty answer for one without failed records.
func TestACallThatIsCutShortGetsNoAnswer(t *testing.T) {
	r := newRig(t, firehose.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const call = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Firehose_20150804.PutRecordBatch\r\nContent-Length: 100\r\n\r\n{"
	if _, err := conn.Write([]byte(call)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(conn); len(answer) != 0 {
		t.Errorf("answered %q", answer)
	}
}
