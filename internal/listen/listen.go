// Package listen takes syslog and GELF messages from sockets and puts them into
// the journal. It knows how messages are told apart on each transport, who sent
// them, and which of them are GELF; it does not look into them further.
//
// A constructor binds and checks, Run runs until its context is done and shuts
// down in stages: no new connections, then what the kernel already holds is
// read, then the sockets are closed. After one journal commit for each read of
// a socket the messages of that read survive a kill of the process.
//
// TCP and TLS connections are not read while the journal has no room, so the
// senders wait. UDP datagrams that come then are dropped, and counted.
package listen

import (
	"context"
	"fmt"
	"time"

	"kinesyslog/internal/event"
)

// Appender takes the messages of one reader. It is used by one goroutine.
type Appender interface {
	// Add copies text. received is in microseconds since 1970, UTC.
	Add(src *event.Source, received int64, text []byte)
	// Commit puts all that was added into the journal: it survives a kill on
	// return. With block it waits for room until ctx is done; without, if there
	// is no room, the messages are dropped and counted by the journal, and err
	// is nil. With an error some of what was added since the last Commit is not
	// in the journal and never will be; the journal has counted that, too.
	Commit(ctx context.Context, block bool) error
}

// Journal gives each reader its own Appender. NewAppender may be called at any
// time from any goroutine.
type Journal interface {
	NewAppender() Appender
}

const (
	// DefaultMaxMessage is the greatest length of a message in bytes where
	// Options leave it open.
	DefaultMaxMessage = 64 << 10
	// DefaultDrain bounds how long Run goes on reading after its context is
	// done, where Options leave it open.
	DefaultDrain = 5 * time.Second
)

// The reasons for which a listener books messages as dropped, beside those of
// GELF (see gelf.Reason), which have gelf_ in front. The journal has others.
const (
	dropKernel = "kernel"       // the socket's receive buffer was full
	dropEmpty  = "empty"        // a datagram without text
	dropRate   = "rate"         // a datagram of a sender that sends too many
	dropProxy  = "proxy_header" // a datagram of a proxy whose header is damaged
)

func messageLimit(n int) (int, error) {
	if n < 0 {
		return 0, fmt.Errorf("greatest length of a message is %d, want more than 0", n)
	}
	if n == 0 {
		n = DefaultMaxMessage
	}
	return n, nil
}
