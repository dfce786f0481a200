package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rogpeppe/go-internal/testscript"

	"kinesyslog/internal/ledger"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/vfs"
)

// cmdCondemn makes dead letters of all records that wait in the spool directory
// of a relay that does not run, as if Firehose had refused them.
//
//	condemn DIRECTORY REASON
func cmdCondemn(ts *testscript.TestScript, _ bool, args []string) {
	q, err := spool.Open(spool.Options{
		Dir: ts.MkAbs(args[0]), FS: vfs.OS{}, Ledger: ledger.New(), Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Budget: unlimited{},
	})
	ts.Check(err)
	q.Close()
	for {
		recs, err := q.Take(context.Background(), 500, 4<<20)
		ts.Check(err)
		if len(recs) == 0 {
			return
		}
		for _, rec := range recs {
			ts.Check(q.DeadLetter(rec, args[1]))
		}
	}
}

// unlimited is a spool.Budget.
type unlimited struct{}

func (unlimited) Use(int64)  {}
func (unlimited) Free(int64) {}

func TestAgeIsToldInTheLargestUnitThatIsNotTooCoarse(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 119 * time.Minute: "119m",
		2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 24000 * time.Hour: "1000d",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
