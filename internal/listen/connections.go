package listen

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connection is one that was accepted and is still served.
type connection struct {
	net.Conn
	// draining is set before a blocked Read is woken up: from then on only what
	// is on its way is read.
	draining atomic.Bool
	// via is the VPC endpoint that a trusted balancer tells of.
	via vpcEndpoint
}

// connections are all those of one listener. Its methods may be called at the
// same time.
type connections struct {
	limits *Limits

	mu       sync.Mutex
	open     map[*connection]struct{}
	stopping bool
	served   sync.WaitGroup
}

// serve runs f for the connection in its own goroutine and closes it
// afterwards. It returns false, and leaves the connection alone, if there are
// too many already or the listener is stopping.
func (c *connections) serve(conn net.Conn, f func(*connection)) bool {
	cn := &connection{Conn: conn}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping || !c.limits.connect() {
		return false
	}
	if c.open == nil {
		c.open = map[*connection]struct{}{}
	}
	c.open[cn] = struct{}{}
	c.served.Go(func() {
		defer func() {
			conn.Close()
			c.mu.Lock()
			delete(c.open, cn)
			c.mu.Unlock()
			c.limits.disconnect()
		}()
		f(cn)
	})
	return true
}

// drain tells all connections to finish, gives them so long, and calls giveUp
// and closes those that are left. It returns when the last one was served.
func (c *connections) drain(within time.Duration, giveUp func()) {
	c.mu.Lock()
	c.stopping = true
	for cn := range c.open {
		cn.draining.Store(true)
		_ = cn.SetReadDeadline(time.Now()) // fails only for a closed connection
	}
	c.mu.Unlock()

	timer := time.AfterFunc(within, func() {
		giveUp()
		c.mu.Lock()
		defer c.mu.Unlock()
		for cn := range c.open {
			cn.Close()
		}
	})
	defer timer.Stop()
	c.served.Wait()
}
