package relay

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestIntakeThatStopsAndGoesOnIsLoggedNowAndThen(t *testing.T) {
	var log bytes.Buffer
	why, now := "", time.Now()
	l := &intakeLog{why: func() string { return why }, log: slog.New(slog.NewTextHandler(&log, nil))}
	for i, step := range []struct {
		why   string
		after time.Duration
		want  string // a new line; "" for none
	}{
		{"", intakeEvery, ""},
		{"raise --spool-max-bytes", intakeEvery, `level=ERROR msg="no messages are taken in" reason="raise --spool-max-bytes"`},
		{"raise --spool-max-bytes", 2 * intakeInterval, ""},
		{"", intakeEvery, "level=INFO"},
		{"", intakeInterval, ""},
		{"the disk", intakeEvery, "the disk"},
		{"", intakeEvery, "level=INFO"},
		{"the disk", intakeEvery, ""}, // it comes and goes
		{"", intakeEvery, ""},
		{"the disk", intakeInterval, "the disk"},
	} {
		log.Reset()
		why, now = step.why, now.Add(step.after)
		l.look(now)
		if got := log.String(); (step.want == "") != (got == "") || !strings.Contains(got, step.want) || strings.Count(got, "\n") > 1 {
			t.Errorf("step %d: log %q, want %q", i, got, step.want)
		}
	}
}
