package syslog

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

// FuzzMessage checks that no message makes Scan or Parse panic, and that both
// agree about it.
func FuzzMessage(f *testing.F) {
	for _, msg := range ownMessages(f) {
		f.Add(msg, receipt.UnixMicro())
	}
	f.Add([]byte("<34>Feb 29 24:00:00 host app: text"), int64(-1))
	f.Add([]byte("<34>2026-03-29 02:30:00 host app: text"), int64(1<<62))
	f.Fuzz(func(t *testing.T, msg []byte, received int64) {
		const limit = int64(9e16) // year 4821: receipt is a clock of ours
		mustAgree(t, msg, received%limit)
	})
}

// FuzzAgainstLeodido checks that wherever go-syslog accepts a message as RFC
// 5424 without help, we read the same from it.
func FuzzAgainstLeodido(f *testing.F) {
	for _, msg := range ownMessages(f)[:8] {
		f.Add(msg)
	}
	f.Add([]byte("<165>1 2003-10-11T22:14:15.003Z host app - ID47 [a@1 b=\"\\\"\\]\\\\\" c=\"\\n\"][d] text"))
	f.Add([]byte("<0>999 2003-10-11T22:14:15+23:59 - - - - - "))
	f.Fuzz(func(t *testing.T, msg []byte) {
		agreesWithLeodido5424(t, rfc5424.NewParser(), msg)
	})
}

func TestRandomlyDamagedMessagesAreRead(t *testing.T) {
	damage := []byte("<>[]:=|\"\\{} \t\x00\xff0")
	messages := append(ownMessages(t), bytes.Repeat([]byte("<"), 1<<20), bytes.Repeat([]byte("a=b "), 1<<16),
		bytes.Repeat([]byte(`{"a":`), 1<<16), append([]byte("CEF:0|a|b|c|d|e|f|"), bytes.Repeat([]byte("rt=x "), 1<<16)...))
	for _, msg := range messages {
		mustAgree(t, msg, receipt.UnixMicro())
		for i := 0; i < min(len(msg), 200); i++ {
			for _, c := range damage {
				hurt := bytes.Clone(msg[:min(len(msg), 400)])
				hurt[i] = c
				mustAgree(t, hurt, receipt.UnixMicro())
			}
			mustAgree(t, msg[:i], receipt.UnixMicro())
		}
	}
}

func TestDamagedRealMessagesAreRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, msg := range corpusMessages(t) {
		for range 10 {
			hurt := bytes.Clone(msg)
			for range 1 + random.IntN(6) {
				hurt[random.IntN(len(hurt))] = byte(random.IntN(256))
			}
			mustAgree(t, hurt, receipt.UnixMicro())
		}
	}
}

// A second for a mebibyte is a thousand times what it takes; reading it again
// from each of its parts would take hours.
func TestLongMessageIsReadInLinearTime(t *testing.T) {
	s := Scanner{Location: time.UTC}
	for _, part := range []string{
		"<", "CEF:0|a|b|c|d|e|f|rt=", `{"a":{`, `{"time":"x",`, "a=b ", "a=\"", "LEEF:1.0|a|b|c|d|a=\t", "<14>1 - - - - [a b=", "<14>", "1: ",
	} {
		msg := bytes.Repeat([]byte(part), (1<<20)/len(part))
		start := time.Now()
		s.Scan(msg, receipt.UnixMicro())
		s.Parse(msg, receipt.UnixMicro())
		if took := time.Since(start); took > time.Second {
			t.Errorf("%q repeated to a mebibyte took %s", part, took)
		}
	}
}
