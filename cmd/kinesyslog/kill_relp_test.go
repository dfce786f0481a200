package main

import (
	"context"
	"net"
	"sync"
	"time"

	"kinesyslog/internal/relp"
)

// relpWindow is how many messages may wait for their answer; librelp's is 128.
const relpWindow = 128

// runRELP sends until ctx is done and all that was sent is acknowledged. What
// was not when a connection broke is sent again over the next one, as every
// RELP client does.
func (s *sender) runRELP(ctx context.Context) {
	var again []int
	patience, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() { time.AfterFunc(20*time.Second, cancel) })
	for patience.Err() == nil && (ctx.Err() == nil || len(again) > 0) {
		conn, _ := s.connect(patience, "tcp")
		if conn == nil {
			return
		}
		session := &relpSession{sender: s, conn: conn, slots: make(chan struct{}, relpWindow)}
		stop := context.AfterFunc(patience, func() { conn.Close() })
		again = session.run(ctx, again)
		stop()
		conn.Close()
	}
}

// relpSession is one connection of a RELP client.
type relpSession struct {
	*sender
	conn  net.Conn
	slots chan struct{} // one for each message without an answer

	mu      sync.Mutex
	waiting []int // numbers of messages without an answer, in their order
}

// run opens the session, sends again what has to be, and goes on with new
// messages. It returns what was sent and not acknowledged.
func (c *relpSession) run(ctx context.Context, again []int) (left []int) {
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		c.readAnswers()
	}()
	c.write(ctx, again, broken)
	// Answers to all that was sent, or the end of the connection.
	for answered := false; !answered; {
		c.mu.Lock()
		answered = len(c.waiting) == 0
		c.mu.Unlock()
		select {
		case <-broken:
			answered = true
		case <-time.After(pace):
		}
	}
	c.conn.Close()
	<-broken
	for _, n := range again { // those not even sent again
		if !c.acked[n] {
			left = append(left, n)
		}
	}
	for _, n := range c.waiting {
		if len(left) == 0 || n > left[len(left)-1] {
			left = append(left, n)
		}
	}
	return left
}

// write sends until ctx is done or the connection is broken.
func (c *relpSession) write(ctx context.Context, again []int, broken <-chan struct{}) {
	if _, err := c.conn.Write(relp.AppendOpen(nil, 1, "harness,1,none")); err != nil {
		return
	}
	txnr := relp.Txnr(1)
	put := func(n int) bool {
		c.mu.Lock()
		c.waiting = append(c.waiting, n)
		c.mu.Unlock()
		select {
		case c.slots <- struct{}{}:
		case <-broken:
			return false
		}
		c.tries[n]++
		txnr = txnr.Next()
		_, err := c.conn.Write(relp.AppendSyslog(nil, txnr, []byte(c.message(n))))
		return err == nil
	}
	for _, n := range again {
		if !put(n) {
			return
		}
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	due, last := 0.0, time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-broken:
			return
		}
		due += time.Since(last).Seconds() * float64(c.rate)
		last = time.Now()
		for ; due >= 1; due-- {
			n := len(c.sent)
			c.sent = append(c.sent, sending{})
			c.mu.Lock()
			c.acked = append(c.acked, false)
			c.mu.Unlock()
			c.tries = append(c.tries, 0)
			if !put(n) {
				return
			}
		}
	}
}

// readAnswers takes acknowledgements, which come in the order of the messages,
// until the connection ends.
func (c *relpSession) readAnswers() {
	framer := relp.NewFramer(64 << 10)
	var held []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		held = append(held, buf[:n]...)
		for {
			f, used, ok, err := framer.Next(held)
			held = held[used:]
			if err != nil || ok && string(f.Command) == "serverclose" {
				return
			}
			if !ok {
				break
			}
			if !c.answered(f) {
				return
			}
		}
	}
}

// answered notes one answer and reports whether the session goes on.
func (c *relpSession) answered(f relp.Frame) bool {
	answer, err := relp.ParseResponse(f.Data)
	if err != nil || answer.Code != 200 {
		return false
	}
	if f.Txnr == 1 { // to open
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return false
	}
	c.acked[c.waiting[0]] = true
	c.waiting = c.waiting[1:]
	<-c.slots
	return true
}
