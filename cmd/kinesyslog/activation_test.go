package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// handed is what systemd holds open for a relay: sockets that outlive it.
type handed struct {
	tcp, udp           *os.File
	tcpAddr, udpAddr   string
	tcpPort, udpPort   string
	connected, written int // by the senders below
}

func hand(t *testing.T) *handed {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	h := &handed{tcpAddr: l.Addr().String(), udpAddr: u.LocalAddr().String()}
	_, h.tcpPort, _ = net.SplitHostPort(h.tcpAddr)
	_, h.udpPort, _ = net.SplitHostPort(h.udpAddr)
	if h.tcp, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	if h.udp, err = u.(*net.UDPConn).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.tcp.Close(); h.udp.Close() })
	return h
}

// pass starts a command as systemd does, which knows the process's id.
func (h *handed) pass(cmd *exec.Cmd) *exec.Cmd {
	shell := exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)...)
	shell.Env = append(cmd.Env, "LISTEN_FDS=2", "LISTEN_FDNAMES=kinesyslog.socket:kinesyslog.socket")
	shell.ExtraFiles = []*os.File{h.tcp, h.udp}
	return shell
}

func TestSocketsOfSystemdStayOpenOverARestart(t *testing.T) {
	t.Parallel()
	aws := newStream(t)
	h := hand(t)
	v := newVictim(t, aws, t.TempDir(), "--tcp-port", h.tcpPort, "--udp-port", h.udpPort, "--flush-interval", "200ms")
	plain := v.command
	v.command = func() *exec.Cmd { return h.pass(plain()) }
	v.start()

	loading, quiet := context.WithCancel(t.Context())
	defer quiet()
	var senders sync.WaitGroup
	senders.Go(func() { h.connections(t, loading) })
	senders.Go(func() { h.datagrams(t, loading) })
	for range 3 {
		time.Sleep(200 * time.Millisecond)
		v.stop()
		time.Sleep(200 * time.Millisecond) // nobody is there
		v.start()
	}
	time.Sleep(100 * time.Millisecond)
	quiet()
	senders.Wait()
	time.Sleep(100 * time.Millisecond) // the last connection is accepted
	v.stop()

	seen := map[string]int{}
	aws.delivered(func(_, message string) { seen[message]++ })
	for what, n := range map[string]int{"tcp": h.connected, "udp": h.written} {
		lost, twice := 0, 0
		for i := range n {
			switch seen[numbered(what, i)] {
			case 0:
				lost++
			case 1:
			default:
				twice++
			}
		}
		if n < 100 || lost+twice > 0 {
			t.Errorf("%s: of %d messages sent over three restarts %d were lost and %d came twice\n%s", what, n, lost, twice, v.said())
		}
		t.Logf("%s: %d messages over three restarts, none lost", what, n)
	}
}

func numbered(what string, i int) string {
	return fmt.Sprintf("<13>1 2024-01-02T03:04:05Z host %s - - - %06d", what, i)
}

// connections makes one after the other, with a message each. None may be
// refused.
func (h *handed) connections(t *testing.T, ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", h.tcpAddr)
		if err != nil {
			t.Errorf("connection %d: %v", h.connected, err)
			return
		}
		if _, err := fmt.Fprintf(c, "%s\n", numbered("tcp", h.connected)); err != nil {
			t.Errorf("write to connection %d: %v", h.connected, err)
		}
		c.Close()
		h.connected++
	}
}

// datagrams sends so few that a socket without a reader holds them, however
// small its buffer is.
func (h *handed) datagrams(t *testing.T, ctx context.Context) {
	c, err := net.Dial("udp", h.udpAddr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for ; ctx.Err() == nil; time.Sleep(8 * time.Millisecond) {
		if _, err := fmt.Fprint(c, numbered("udp", h.written)); err != nil {
			t.Errorf("datagram %d: %v", h.written, err)
		}
		h.written++
	}
}

func TestASocketOfSystemdThatNothingIsConfiguredForIsAnError(t *testing.T) {
	t.Parallel()
	h := hand(t)
	cmd := exec.Command("kinesyslog", "listen", "--local", t.TempDir(), "--spool-dir", t.TempDir(), "--port", "0", "--tcp-port", h.tcpPort)
	cmd.Env = os.Environ()
	out, err := h.pass(cmd).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "udp port "+h.udpPort) || !strings.Contains(string(out), "--udp-port") {
		t.Errorf("%v: %s", err, out)
	}
}
