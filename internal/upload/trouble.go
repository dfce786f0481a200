package upload

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kinesyslog/internal/event"
)

const (
	// sayEvery is how often a log line about one reason may come.
	sayEvery = time.Minute
	// bearFor is how long calls may fail before they make the relay unready. A
	// fault of the configuration does so at once.
	bearFor = 30 * time.Second
	// bearCalls is how many failures in a row are worth a line.
	bearCalls = 3
)

// State says how the upload is doing, for readiness and for people.
type State struct {
	// Ready is false while the configuration has a fault, and when calls have
	// been failing for 30 s. Messages are taken and kept all the same.
	Ready bool
	// Reason and Hint say what is wrong and what to do; "" when nothing is.
	Reason, Hint string
	// Code is AWS's error code, or "".
	Code string
	// Since is when the present trouble began; zero when there is none.
	Since time.Time
	// LastSuccess is when Firehose last took a record; zero if never.
	LastSuccess time.Time
	// InFlight is how many calls are being made.
	InFlight int
	// RateLimit is how many bytes a second are sent at most; 0 for no limit.
	RateLimit float64
}

// trouble says what is wrong, in the log and in State: at once, once a minute
// for each reason while it lasts, and once when it is over.
type trouble struct {
	log     *slog.Logger
	stream  string
	region  func() string
	waiting func() (int, int64)

	mu          sync.Mutex
	since       time.Time
	now         fault
	calls       int
	loud        bool // the present trouble was logged
	lastSuccess time.Time
	said        map[string]time.Time
	unsaid      map[string]int
}

func newTrouble(o Options) *trouble {
	return &trouble{
		log: o.Logger, stream: o.Stream, region: o.Region, waiting: o.Waiting,
		said: map[string]time.Time{}, unsaid: map[string]int{},
	}
}

// may reports whether a line about a subject may be written now, and how many
// were left out since the last.
func (t *trouble) may(subject string, now time.Time) (leftOut int, ok bool) {
	if last, found := t.said[subject]; found && now.Sub(last) < sayEvery {
		t.unsaid[subject]++
		return 0, false
	}
	leftOut = t.unsaid[subject]
	t.said[subject] = now
	delete(t.unsaid, subject)
	return leftOut, true
}

// where names the stream, and how much waits for it.
func (t *trouble) where() []any {
	args := []any{"stream", t.stream}
	if t.region != nil {
		if r := t.region(); r != "" {
			args = append(args, "region", r)
		}
	}
	if t.waiting != nil {
		records, bytes := t.waiting()
		args = append(args, "records_waiting", records, "bytes_waiting", bytes)
	}
	return args
}

// failed is told of a call that failed as a whole, the row-th of its kind.
func (t *trouble) failed(now time.Time, f fault, row int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() {
		t.since = now
	}
	t.now = f
	t.calls++
	if f.class != misconfigured && row < bearCalls {
		t.log.Debug("a call to Firehose failed, it will be made again", "stream", t.stream, "reason", f.reason, "error", f.err)
		return
	}
	leftOut, ok := t.may(f.reason, now)
	if !ok {
		return
	}
	t.loud = true
	level := slog.LevelWarn
	message := "Firehose cannot be reached or does not take records; they are kept and sent again"
	if f.class == misconfigured {
		level = slog.LevelError
		message = "Firehose does not take records until the configuration is mended; they are kept"
	}
	args := append(t.where(), "reason", f.reason, "code", f.code, "error", f.err,
		"for", now.Sub(t.since).Round(time.Second), "calls_failed", t.calls, "lines_left_out", leftOut, "hint", f.hint())
	t.log.Log(context.Background(), level, message, args...)
}

// succeeded is told of every call of which records were taken.
func (t *trouble) succeeded(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastSuccess = now
	if t.since.IsZero() {
		return
	}
	if t.loud {
		t.log.Info("Firehose takes records again", append(t.where(), "after", now.Sub(t.since).Round(time.Second), "calls_failed", t.calls)...)
	}
	t.since, t.now, t.calls, t.loud = time.Time{}, fault{}, 0, false
}

// partly is told of calls that were taken in part.
func (t *trouble) partly(now time.Time, s sorted, limit float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	leftOut, ok := t.may("partly", now)
	if !ok {
		return
	}
	args := append(t.where(), "refused", len(s.refused), "accepted", len(s.accepted), "code", s.code, "error", s.message,
		"bytes_per_second", int64(limit), "lines_left_out", leftOut, "hint", hints[reasonThrottled])
	t.log.Warn("Firehose takes only a part of the records; the others are sent again", args...)
}

// condemned is told of every dead letter.
func (t *trouble) condemned(rec event.Stored, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	leftOut, ok := t.may("dead letter", time.Now())
	if !ok {
		return
	}
	t.log.Error("Firehose refuses a record for what it is; it is set aside as a dead letter",
		"stream", t.stream, "listener", rec.Listener, "file", rec.File, "index", rec.Index, "messages", rec.Events, "bytes", len(rec.Data),
		"reason", reason, "lines_left_out", leftOut, "hint", "see it with kinesyslog spool ls and spool cat; spool retry sends it again")
}

// queueFailed is told when the spool cannot do what was asked.
func (t *trouble) queueFailed(what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	leftOut, ok := t.may(what, time.Now())
	if !ok {
		return
	}
	t.log.Error("the spool failed: could not "+what, "stream", t.stream, "error", err, "lines_left_out", leftOut,
		"hint", "look for disk errors in the system's log, and for free space in the spool directory")
}

// State may be called at any time.
func (u *Uploader) State() State {
	t := u.trouble
	t.mu.Lock()
	defer t.mu.Unlock()
	s := State{
		Ready: true, Reason: t.now.reason, Code: t.now.code, Since: t.since, LastSuccess: t.lastSuccess,
		InFlight: u.gate.load(), RateLimit: u.pace.limit(),
	}
	if !t.since.IsZero() {
		s.Hint = t.now.hint()
		s.Ready = t.now.class != misconfigured && time.Since(t.since) < bearFor
	}
	return s
}
