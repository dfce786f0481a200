package main

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/firehose"
)

// life is one process of a relay, from when it listens to when it is killed.
// It outlasts the test if killed is zero.
type life struct{ ready, killed time.Time }

// victim is a relay that is started again and again on the same directory, with
// the same ports. Only one goroutine starts and ends it; senders ask for its
// lives.
type victim struct {
	t       *testing.T
	command func() *exec.Cmd
	log     *os.File // of all its processes

	cmd *exec.Cmd

	mu    sync.Mutex
	lives []life
	up    bool
}

// newVictim prepares a relay. options are added to the command line; it
// delivers to the Firehose.
func newVictim(t *testing.T, aws *stream, spool string, options ...string) *victim {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "relay.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	args := append([]string{
		"listen", "--stream", aws.name, "--endpoint-url", aws.url, "--region", "us-east-1", "--address", "127.0.0.1",
		"--spool-dir", spool, "--port", "0",
	}, options...)
	v := &victim{t: t, log: log}
	v.command = func() *exec.Cmd {
		cmd := exec.Command("kinesyslog", args...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y", "AWS_EC2_METADATA_DISABLED=true")
		return cmd
	}
	t.Cleanup(func() {
		if v.cmd != nil {
			v.kill()
		}
	})
	return v
}

// spawn starts a process. The channel is closed when it listens; the process
// may end before.
func (v *victim) spawn() (listening <-chan struct{}) {
	v.t.Helper()
	v.cmd = v.command()
	v.cmd.Stderr = v.log
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		for told := false; lines.Scan(); {
			if !told && lines.Text() == "delivering" { // said after all sockets are bound
				told = true
				close(ready)
			}
		}
	}()
	return ready
}

// start waits until the relay listens, and begins a life.
func (v *victim) start() {
	v.t.Helper()
	select {
	case <-v.spawn():
	case <-time.After(30 * time.Second):
		v.t.Fatalf("the relay does not start\n%s", v.said())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lives = append(v.lives, life{ready: time.Now()})
	v.up = true
}

// kill ends the process as kill -9 does.
func (v *victim) kill() {
	v.ends()
	_ = v.cmd.Process.Kill() // it may have ended
	_ = v.cmd.Wait()         // it says that it was killed
	v.cmd = nil
}

// ends notes that the life is over, before it is.
func (v *victim) ends() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.up {
		v.lives[len(v.lives)-1].killed = time.Now()
		v.up = false
	}
}

// stop ends the process in good order, with all that it has delivered.
func (v *victim) stop() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatalf("the relay has ended: %v\n%s", err, v.said())
	}
	err := v.cmd.Wait()
	v.cmd = nil
	v.mu.Lock()
	v.up = false
	v.mu.Unlock()
	if err != nil {
		v.t.Fatalf("the relay ended badly: %v\n%s", err, v.said())
	}
}

// current tells which life the relay is in, if it listens.
func (v *victim) current() (n int, up bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.lives) - 1, v.up
}

// said is the end of the log.
func (v *victim) said() string {
	text, err := os.ReadFile(v.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// stream is an embedded Firehose that lives on while relays die.
type stream struct {
	t      *testing.T
	name   string
	url    string
	dir    string
	server *firehose.Server
	http   *httptest.Server
}

func newStream(t *testing.T) *stream {
	t.Helper()
	s := &stream{t: t, name: "s", dir: t.TempDir()}
	var err error
	s.server, err = firehose.New(firehose.Options{Dir: s.dir, Streams: []string{s.name}, BufferInterval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(s.server.Handler())
	s.url = s.http.URL
	t.Cleanup(func() {
		s.http.Close()
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fault sets what goes wrong, as JSON.
func (s *stream) fault(settings string) {
	s.t.Helper()
	res, err := http.Post(s.url+"/_faults", "application/json", strings.NewReader(settings))
	if err != nil {
		s.t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		s.t.Fatalf("faults %s: %s", settings, res.Status)
	}
}

// delivered calls f for each event of each object, after the server was closed.
func (s *stream) delivered(f func(id, message string)) {
	s.t.Helper()
	if err := s.server.Close(); err != nil {
		s.t.Fatal(err)
	}
	a, err := archive.Open(s.t.Context(), archive.Options{}, s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for e, err := range a.Events(s.t.Context()) {
		if err != nil {
			s.t.Fatal(err)
		}
		f(e.ID, e.Message)
	}
}

// freePort finds a port that is free for TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if u, err := net.ListenPacket("udp4", "127.0.0.1:"+port); err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// supports tells whether listen has an option.
func supports(t *testing.T, option string) bool {
	t.Helper()
	var help bytes.Buffer
	cmd := exec.Command("kinesyslog", "listen", "--help")
	cmd.Stdout = &help
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(help.String(), "--"+option+" ")
}
