package firehose_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"kinesyslog/internal/firehose"
)

// These make the test binary be a server: in which directory, and how large it
// may let a file grow.
const (
	childDir   = "KINESYSLOG_TEST_FIREHOSE_DIR"
	childLimit = "KINESYSLOG_TEST_FIREHOSE_FILE_SIZE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, serveUntilKilled(dir, os.Getenv(childLimit)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func serveUntilKilled(dir, limit string) error {
	if limit != "" {
		size, err := strconv.ParseUint(limit, 10, 64)
		if err != nil {
			return err
		}
		signal.Ignore(unix.SIGXFSZ) // so that write(2) fails as on a full disk
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: size}); err != nil {
			return err
		}
	}
	s, err := firehose.New(firehose.Options{Dir: dir, Streams: []string{"logs"}, BufferBytes: 300_000})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + ln.Addr().String())
	return s.Serve(ln)
}

// startChild runs a server in a process of its own. kill ends it as kill -9
// does, and may be called at any time, more than once.
func startChild(t *testing.T, dir, limit string) (r *rig, kill func()) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir, childLimit+"="+limit)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = child.Process.Kill()
		_ = child.Wait() // says that it was killed
	})
	t.Cleanup(kill)
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Client: newClient(strings.TrimSpace(url))}, kill
}

func TestAcknowledgedRecordsSurviveKill9AndAreDeliveredOnce(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		r, kill := startChild(t, dir, "")
		// Producers put until the server is gone; the kill comes in the middle.
		acknowledged := make(chan string, 10_000)
		var producers sync.WaitGroup
		for p := range 4 {
			producers.Go(func() {
				for c := 0; ; c++ {
					call := fmt.Sprintf("<%d.%d.%d %s>", round, p, c, strings.Repeat("x", 1000*(c%50)))
					if _, err := r.batch("logs", call[:len(call)/2], call[len(call)/2:]); err != nil {
						return
					}
					acknowledged <- call
					if c == 40+round {
						kill()
					}
				}
			})
		}
		producers.Wait()
		close(acknowledged)

		after := newRig(t, firehose.Options{Dir: dir})
		got := contents(t, dir, "logs")
		n := 0
		for call := range acknowledged {
			n++
			if found := strings.Count(got, call); found != 1 {
				t.Errorf("call %.10s was acknowledged and is there %d times", call, found)
			}
		}
		if n < 41 {
			t.Errorf("only %d calls were acknowledged", n)
		}
		// What was not acknowledged is there whole or not at all.
		for _, call := range strings.SplitAfter(got, ">") {
			if call != "" && (call[0] != '<' || call[len(call)-1] != '>') {
				t.Errorf("torn call %.20q", call)
			}
		}
		after.close(t)
	}
}

func TestACallThatDoesNotFitTheDiskIsRefusedAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	r, kill := startChild(t, dir, "3000")
	r.put(t, "logs", strings.Repeat("a", 1000))
	_, err := r.batch("logs", strings.Repeat("b", 5000))
	wantCode(t, err, "ServiceUnavailableException")
	r.put(t, "logs", strings.Repeat("c", 1500))
	kill()
	newRig(t, firehose.Options{Dir: dir})
	if got, want := contents(t, dir, "logs"), strings.Repeat("a", 1000)+strings.Repeat("c", 1500); got != want {
		t.Errorf("objects hold %.20q... (%d bytes), want %d bytes", got, len(got), len(want))
	}
}
