package main

// The rules of the terminal, for all verbs:
//
//   - Standard output has what was asked for, and nothing else: delivered
//     messages, fingerprints, the report of what listens where.
//   - Standard error has the log and the errors. An error is one line,
//     "kinesyslog: what went wrong: what to do". No usage text follows it.
//   - The exit status is 0 if all went well, 2 if the command line, the
//     environment or the configuration file has to be changed (a restart would
//     not help), and 1 if something else went wrong. Only main exits.
//   - Nothing prompts, nothing reads standard input but explain without
//     arguments and where "-" asks for it, and nothing moves the cursor: all
//     output may be kept in a file. Only explain uses colours, on a terminal,
//     unless NO_COLOR is set, and they say nothing that is not also written.
//   - Who closes our standard output has seen enough. That is no error.
//   - A log line begins with the time, unless the journal, which has its own,
//     is what standard error goes to.

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is where a verb's output goes.
type terminal struct {
	out, err *os.File
}

func newTerminal() *terminal { return &terminal{out: os.Stdout, err: os.Stderr} }

// usageError is one that only a change of command line, environment or
// configuration file can mend.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// columns is the width of the terminal that standard output is, or 0 if it is
// none.
func (t *terminal) columns() int {
	size, err := unix.IoctlGetWinsize(int(t.out.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return max(int(size.Col), 1) // a terminal may not know its width
}

// exit reports an error, if there is one, and returns the exit status.
func (t *terminal) exit(err error) int {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return 0
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(t.err, "kinesyslog: %s\n", strings.TrimRight(line, "\n"))
	}
	if errors.As(err, new(*usageError)) {
		return 2
	}
	return 1
}

// logger writes to standard error.
func (t *terminal) logger(debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(newLogHandler(t.err, level, t.isJournal()))
}

func newLogHandler(w io.Writer, level slog.Level, withoutTime bool) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 || a.Key != slog.TimeKey || a.Value.Kind() != slog.KindTime {
				return a // also an attribute of the line's own by that name
			}
			if withoutTime {
				return slog.Attr{}
			}
			return slog.String(a.Key, a.Value.Time().Format("2006-01-02T15:04:05.000Z07:00"))
		},
	})
}

// isJournal tells whether standard error goes to systemd's journal. Children
// inherit JOURNAL_STREAM also where their output goes somewhere else, so the
// device and inode in it are compared, as systemd.exec(5) says.
func (t *terminal) isJournal() bool {
	dev, inode, ok := strings.Cut(os.Getenv("JOURNAL_STREAM"), ":")
	var st unix.Stat_t
	if !ok || unix.Fstat(int(t.err.Fd()), &st) != nil {
		return false
	}
	return dev == strconv.FormatUint(st.Dev, 10) && inode == strconv.FormatUint(st.Ino, 10)
}
