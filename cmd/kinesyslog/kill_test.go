package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// killMargin is how long a message must have been in a socket before a kill to
// be called safe where nobody acknowledges: --sync-interval, and a relay that
// keeps up.
const killMargin = time.Second

// TestNothingSafeIsLostHoweverOftenTheRelayIsKilled kills a relay with SIGKILL
// at random instants, in its start-up too, starts it again on the same directory
// and balances what was sent, acknowledged and delivered, message by message.
// KINESYSLOG_KILLS says how often; 200 take some five minutes.
func TestNothingSafeIsLostHoweverOftenTheRelayIsKilled(t *testing.T) {
	kills := 5
	if v := os.Getenv("KINESYSLOG_KILLS"); v != "" {
		var err error
		if kills, err = strconv.Atoi(v); err != nil {
			t.Fatalf("KINESYSLOG_KILLS: %v", err)
		}
	} else if testing.Short() {
		t.Skip("kills take their time")
	}
	t.Parallel()

	aws := newStream(t)
	tcp, udp, relp := freePort(t), freePort(t), freePort(t)
	options := []string{"--tcp-port", tcp, "--udp-port", udp, "--flush-interval", "300ms", "--shutdown-timeout", "2m"}
	withRELP := supports(t, "relp-port")
	if withRELP {
		options = append(options, "--relp-port", relp)
	}
	v := newVictim(t, aws, t.TempDir(), options...)
	senders := []*sender{
		newSender(t, v, "tcp", tcp, 0, 500), newSender(t, v, "tcp", tcp, 1, 500), newSender(t, v, "udp", udp, 0, 400),
	}
	if withRELP {
		senders = append(senders, newSender(t, v, "relp", relp, 0, 500), newSender(t, v, "relp", relp, 1, 500))
	}

	v.start()
	loading, quiet := context.WithCancel(t.Context())
	defer quiet()
	var running sync.WaitGroup
	for _, s := range senders {
		running.Go(func() { s.run(loading) })
	}
	early := 0
	for k := range kills {
		// Answers that are lost make doubles, outages make a backlog.
		aws.fault(fmt.Sprintf(`{"dropConnections": 0.05, "failRecords": 0.05, "latency": "5ms", "outage": %v}`, k%4 == 1))
		time.Sleep(time.Duration(rand.IntN(2500)) * time.Millisecond)
		v.kill()
		for rand.IntN(5) == 0 { // once more while it recovers
			v.spawn()
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			v.kill()
			early++
		}
		v.start()
	}
	aws.fault(`{"outage": false}`)
	time.Sleep(200 * time.Millisecond)
	quiet()
	running.Wait()
	v.stop()

	b := balance(t, aws, v.lives, senders)
	t.Logf("%d kills, %d of them during start-up\n%s", kills+early, early, b)
	if b.failed {
		t.Logf("the relay said at last:\n%s", v.said())
	}
}

// key is a message.
type key struct{ sender, number int }

// sums are what became of one sender's messages.
type sums struct {
	sent, acked, safe, delivered int
	unsafeLost                   int           // written within the margin before a kill
	oldest                       time.Duration // before the kill the first of those was written
	sameID                       int           // doubles with the same id
	sentAgain                    int           // doubles with another id, which the client sent again for want of an answer
}

type figures struct {
	names  []string
	sums   []sums
	failed bool
}

// String is a table.
func (f figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s %9s %9s %9s %9s %6s %12s %11s %11s %11s\n",
		"sender", "sent", "acked", "safe", "delivered", "lost", "unsafe lost", "written", "same id", "sent again")
	for i, s := range f.sums {
		fmt.Fprintf(&b, "%-8s %9d %9d %9d %9d %6d %12d %11s %11d %11d\n",
			f.names[i], s.sent, s.acked, s.safe, s.delivered, s.sent-s.delivered-s.unsafeLost, s.unsafeLost,
			"< "+s.oldest.Truncate(time.Millisecond).String(), s.sameID, s.sentAgain)
	}
	return b.String()
}

// balance compares what was sent with what was delivered, and fails the test
// where something safe is missing, altered, or doubled under another id.
func balance(t *testing.T, aws *stream, lives []life, senders []*sender) (f figures) {
	t.Helper()
	f.sums = make([]sums, len(senders))
	byName := map[string]int{}
	ids := map[string]key{}   // which message an id belongs to
	distinct := map[key]int{} // how many ids a message has
	complaints := 0
	wrong := func(format string, args ...any) {
		t.Helper()
		f.failed = true
		if complaints++; complaints <= 20 {
			t.Errorf(format, args...)
		}
	}
	for i, s := range senders {
		byName[s.name] = i
		f.names = append(f.names, s.name)
	}
	aws.delivered(func(id, message string) {
		k, ok := identify(message, byName, senders)
		if !ok {
			wrong("a message was delivered that nobody sent: %.100q", message)
			return
		}
		switch owner, seen := ids[id]; {
		case !seen:
			ids[id] = k
			distinct[k]++
		case owner == k:
			f.sums[k.sender].sameID++
		default:
			wrong("id %s is given to two messages: %v and %v", id, owner, k)
		}
	})
	for i, s := range senders {
		for n := range s.sent {
			k := key{i, n}
			f.sums[i].count(s, n, distinct[k], s.safe(n, lives, killMargin), s.before(n, lives), func(what string) {
				wrong("%s %d (%+v) %s; it has %d ids", s.name, n, s.sent[n], what, distinct[k])
			})
		}
	}
	return f
}

func (f *sums) count(s *sender, n, ids int, safe bool, before time.Duration, wrong func(string)) {
	f.sent++
	if safe {
		f.safe++
	}
	tries := 1
	if s.kind == "relp" {
		tries = s.tries[n]
		if s.acked[n] {
			f.acked++
		}
	}
	switch {
	case ids == 0 && safe:
		wrong("was safe and is lost")
	case ids == 0:
		f.unsafeLost++
		f.oldest = max(f.oldest, before+time.Millisecond)
	case ids > max(tries, 1):
		wrong("was delivered under more ids than it was sent")
	default:
		f.delivered++
		f.sentAgain += ids - 1
	}
}

// identify tells which message this is, if it is exactly one that was sent.
func identify(message string, byName map[string]int, senders []*sender) (k key, ok bool) {
	fields := strings.Fields(message)
	if len(fields) < 8 {
		return k, false
	}
	i, ok := byName[fields[3]]
	n, err := strconv.Atoi(fields[7])
	if !ok || err != nil || n < 0 || n >= len(senders[i].sent) || senders[i].message(n) != message {
		return k, false
	}
	return key{i, n}, true
}
