package relay

import (
	"fmt"
	"net"
	"testing"
	"time"
)

func TestMessagesOfAQuietSenderWaitForEachOtherAndForNothingAtTheEnd(t *testing.T) {
	delivered := t.TempDir()
	r := start(t, t.TempDir(), map[string]string{
		"local": delivered, "flush-interval": "100ms", "flush-interval-max": "24h",
	})
	conn, err := net.Dial("tcp", r.tcp)
	if err != nil {
		t.Fatal(err)
	}
	const sent = 10
	quiet := time.NewTicker(60 * time.Millisecond)
	defer quiet.Stop()
	for i := range sent {
		<-quiet.C
		if _, err := fmt.Fprintf(conn, "<13>1 - fw1 - - - - %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	r.shutdown()
	messages, ids := got(t, delivered)
	generations := map[string]bool{}
	for id := range ids {
		generations[id[:16]] = true
	}
	if len(messages) != sent || len(generations) != 1 {
		t.Errorf("%d of %d messages in %d generations, want one", len(messages), sent, len(generations))
	}
}

func TestTheForecastLooksBackOnTwoFlushIntervalsAMinuteAtLeastAndAnHourAtMost(t *testing.T) {
	for flush, want := range map[time.Duration]time.Duration{
		time.Second: time.Minute, time.Minute: 2 * time.Minute, 15 * time.Minute: 30 * time.Minute, 24 * time.Hour: time.Hour,
	} {
		if got := newForecast(newBudget(1<<30, 32<<20), flush).span; got != want {
			t.Errorf("%s: %s, want %s", flush, got, want)
		}
	}
}
