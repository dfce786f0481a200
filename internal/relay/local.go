package relay

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kinesyslog/internal/config"
	"kinesyslog/internal/firehose"
	"kinesyslog/internal/upload"
)

// localBuffer is how long the embedded Firehose waits for more before it writes
// an object.
const localBuffer = time.Second

// local is the embedded Firehose on a loopback port. The relay talks to it as
// it talks to AWS, through the SDK.
type local struct {
	server *firehose.Server
	listen net.Listener
}

func newLocal(cfg *config.Listen, log *slog.Logger, registerer prometheus.Registerer, out io.Writer) (*local, error) {
	var mu sync.Mutex
	s, err := firehose.New(firehose.Options{
		Dir: cfg.Local, Streams: []string{cfg.Stream}, BufferInterval: localBuffer, Logger: log, Registerer: registerer,
		OnObject: func(o firehose.Object) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "delivered %s (%d records, %d bytes)\n", o.Path, o.Records, o.Bytes)
		},
	})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("listen for the embedded firehose: %w", err)
	}
	return &local{server: s, listen: l}, nil
}

// options lead the SDK here, with credentials that are nobody's.
func (l *local) options(log *slog.Logger) upload.AWSOptions {
	return upload.AWSOptions{
		Region: "us-east-1", EndpointURL: "http://" + l.listen.Addr().String(),
		AccessKeyID: "embedded", SecretAccessKey: "embedded", Logger: log,
	}
}

func (l *local) serve() error { return l.server.Serve(l.listen) }

// stop delivers what is held and closes the port.
func (l *local) stop(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	_ = l.listen.Close() // closed already if it was served
	return err
}
