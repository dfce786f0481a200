package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fileTerminal keeps what is said in a file.
func fileTerminal(t *testing.T) (*terminal, func() string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &terminal{out: f, err: f}, func() string {
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
}

func TestAnErrorIsALineAndAStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		said   string
	}{
		{"none", nil, 0, ""},
		{"a fault", errors.New("disk full"), 1, "kinesyslog: disk full\n"},
		{"wrong usage", &usageError{errors.New("no stream")}, 2, "kinesyslog: no stream\n"},
		{"several", errors.Join(errors.New("one"), errors.New("two")), 1, "kinesyslog: one\nkinesyslog: two\n"},
		{"a reader that went away", fmt.Errorf("writing: %w", syscall.EPIPE), 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			term, said := fileTerminal(t)
			if status := term.exit(tt.err); status != tt.status || said() != tt.said {
				t.Errorf("status %d, said %q", status, said())
			}
		})
	}
}

func TestTheLogHasTheTimeUnlessTheJournalHas(t *testing.T) {
	withTime := regexp.MustCompile(`^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) level=INFO msg=hello time=kept g.time=kept\n$`)
	for _, journal := range []bool{false, true} {
		var b strings.Builder
		slog.New(newLogHandler(&b, slog.LevelInfo, journal)).Info("hello", "time", "kept", slog.Group("g", "time", "kept"))
		if journal && b.String() != "level=INFO msg=hello time=kept g.time=kept\n" {
			t.Errorf("journal: got %q", b.String())
		}
		if !journal && !withTime.MatchString(b.String()) {
			t.Errorf("got %q", b.String())
		}
	}
}

func TestDebugLinesComeOnlyIfAskedFor(t *testing.T) {
	for _, debug := range []bool{false, true} {
		term, said := fileTerminal(t)
		term.logger(debug).Debug("detail")
		if got := strings.Contains(said(), "detail"); got != debug {
			t.Errorf("debug %t: said %q", debug, said())
		}
	}
}

func TestTheJournalIsKnownByItsInode(t *testing.T) {
	term, _ := fileTerminal(t)
	var st unix.Stat_t
	if err := unix.Fstat(int(term.err.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{
		"":                                    false,
		"8:1":                                 false,
		"nonsense":                            false,
		fmt.Sprintf("%d:%d", st.Dev, st.Ino):  true,
		fmt.Sprintf("%d:%d0", st.Dev, st.Ino): false,
	} {
		t.Setenv("JOURNAL_STREAM", value)
		if got := term.isJournal(); got != want {
			t.Errorf("%q: got %t", value, got)
		}
	}
}
