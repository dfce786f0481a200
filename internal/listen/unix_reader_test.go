package listen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// sendWith sends a datagram with a control message.
func sendWith(t *testing.T, path, text string, control []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Sendmsg(fd, []byte(text), control, &unix.SockaddrUnix{Name: path}, 0); err != nil {
		t.Fatal(err)
	}
}

func TestUnixDatagramsOverTheRateOfTheirUserAreDroppedAndCounted(t *testing.T) {
	e, path := newEnv(), socketIn(t)
	e.journal.books = e.ledger
	startUnixDatagram(t, e.unix(UnixOptions{Path: path, Limits: limits(t, LimitOptions{Rate: 5})}))
	const count = 200
	conn := dial(t, "unixgram", path)
	for i := range count {
		send(t, conn, fmt.Sprintf("<1>flood %d", i))
	}
	others := 0
	if os.Geteuid() == 0 { // only root may say that it is somebody else
		somebody := unix.UnixCredentials(&unix.Ucred{Pid: int32(os.Getpid()), Uid: 12345, Gid: 12345})
		sendWith(t, path, "<1>good", somebody)
		others = 1
	}
	for e.balance(t).Received < uint64(count+others) {
		time.Sleep(time.Millisecond)
	}
	flood, good := 0, 0
	for _, m := range e.journal.messages() {
		if m.Text == "<1>good" {
			good++
		} else {
			flood++
		}
	}
	// Those that were read later than the first may find some room again.
	if good != others || flood < 5 || flood > count/2 {
		t.Errorf("%d messages of a user over the rate, %d of another, want %d", flood, good, others)
	}
	if b := e.balance(t); b.Dropped["rate"] != uint64(count-flood) || b.Difference() != 0 {
		t.Errorf("ledger: %+v", b)
	}
	e.log.wait(t, "--rate-limit")
	if want := fmt.Sprintf("uid=%d", os.Geteuid()); !strings.Contains(e.log.String(), want) {
		t.Errorf("%s is not in the log:\n%s", want, e.log)
	}
}

func TestFilesThatUnixSendersPassAreNotOpened(t *testing.T) {
	for name, l := range map[string]*Limits{"without a limit": nil, "with one": limits(t, LimitOptions{Rate: 1000})} {
		t.Run(name, func(t *testing.T) {
			e, path := newEnv(), socketIn(t)
			startUnixDatagram(t, e.unix(UnixOptions{Path: path, Limits: l}))
			ours, theirs, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			sendWith(t, path, "<1>with a file", unix.UnixRights(int(theirs.Fd())))
			theirs.Close()
			if d := cmp.Diff(here("<1>with a file"), e.journal.wait(t, 1)); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
			if err := ours.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("the other end of the pipe is still open: %v", err)
			}
		})
	}
}

func TestAUnixReaderTellsWhoSentAndAllocatesNothing(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	in, text := newUnixReader(8, true), []byte("<1>longer than that")
	exchange := func(want uint32) {
		if _, err := unix.Write(pair[1], text); err != nil {
			t.Fatal(err)
		}
		got, uid, err := in.read(pair[0])
		if err != nil || string(got) != "<1>longe" || uid != want {
			t.Fatalf("%q of uid %d, want %d; error %v", got, uid, want, err)
		}
	}
	exchange(nobody) // the socket does not ask
	if err := unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		t.Fatal(err)
	}
	own := uint32(os.Geteuid())
	if n := testing.AllocsPerRun(100, func() { exchange(own) }); n != 0 {
		t.Errorf("%v allocations for a datagram", n)
	}
	if _, _, err := in.read(pair[0]); err != unix.EAGAIN {
		t.Errorf("without a datagram: %v", err)
	}
}
