package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// sending is how a message went out: to which life of the relay, and when it
// was written for sure. life is -1 where it is not known to have gone anywhere.
type sending struct {
	life int
	at   time.Time
}

// sender sends numbered messages until it is told to stop, and knows how each
// of them went out. Only its own goroutine uses it before it has ended.
type sender struct {
	name    string
	kind    string // udp, tcp or relp
	address string
	counted bool // RFC 6587 octet counting
	rate    int  // messages a second
	victim  *victim

	sent  []sending
	acked []bool // relp: whether the relay has said that it has it
	tries []int  // relp: how often it was sent
}

const pace = 5 * time.Millisecond

// message is what a sender sends under a number. Lengths differ, so that
// messages lie across the reads of a socket in every way.
func (s *sender) message(n int) string {
	length := n * 7919 % 300
	if n%500 == 0 {
		length = 9000
	}
	return fmt.Sprintf("<13>1 2024-01-02T03:04:05Z host %s - - - %08d %s", s.name, n, strings.Repeat("x", length))
}

func (s *sender) frame(n int) []byte {
	m := s.message(n)
	switch {
	case s.kind == "udp":
		return []byte(m)
	case s.counted:
		return fmt.Appendf(nil, "%d %s", len(m), m)
	}
	return append([]byte(m), '\n')
}

// run sends until ctx is done.
func (s *sender) run(ctx context.Context) {
	if s.kind == "relp" {
		s.runRELP(ctx)
		return
	}
	for ctx.Err() == nil {
		if conn, life := s.connect(ctx, s.kind); conn != nil {
			s.load(ctx, conn, life)
			conn.Close()
		}
	}
}

// connect makes a connection that is known to be to the process of one life.
// It returns nil when ctx is done.
func (s *sender) connect(ctx context.Context, network string) (net.Conn, int) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		before, up := s.victim.current()
		if !up {
			continue
		}
		conn, err := net.DialTimeout(network, s.address, 5*time.Second)
		if err != nil {
			continue
		}
		if after, up := s.victim.current(); up && after == before {
			return conn, after
		}
		conn.Close()
	}
	return nil, 0
}

// load sends over one connection until that fails or ctx is done.
func (s *sender) load(ctx context.Context, conn net.Conn, life int) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	due, last := 0.0, time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		due += time.Since(last).Seconds() * float64(s.rate)
		last = time.Now()
		for ; due >= 1; due-- {
			n := len(s.sent)
			s.sent = append(s.sent, sending{life: -1})
			_, err := conn.Write(s.frame(n))
			if err != nil {
				return
			}
			if s.kind == "udp" { // nobody says that it goes nowhere
				if now, up := s.victim.current(); !up || now != life {
					return
				}
			}
			s.sent[n] = sending{life, time.Now()}
		}
	}
}

// safe tells whether the relay must have a message whatever happened to it: it
// has said so itself, or the message was there for so long before the kill.
func (s *sender) safe(n int, lives []life, margin time.Duration) bool {
	if s.kind == "relp" {
		return s.acked[n]
	}
	m := s.sent[n]
	if m.life < 0 {
		return false
	}
	killed := lives[m.life].killed
	return killed.IsZero() || killed.Sub(m.at) > margin
}

// before tells how long before a kill a message was written; 0 if that is not
// known, or if there was none.
func (s *sender) before(n int, lives []life) time.Duration {
	m := s.sent[n]
	if m.life < 0 || m.at.IsZero() || lives[m.life].killed.IsZero() {
		return 0
	}
	return lives[m.life].killed.Sub(m.at)
}

func newSender(t *testing.T, v *victim, kind, port string, i, rate int) *sender {
	t.Helper()
	return &sender{
		name: fmt.Sprintf("%s-%d", kind, i), kind: kind, address: "127.0.0.1:" + port, counted: i%2 == 1, rate: rate, victim: v,
	}
}
