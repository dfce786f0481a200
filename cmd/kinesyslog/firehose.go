package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"kinesyslog/internal/config"
	"kinesyslog/internal/firehose"
)

func newFirehose(t *terminal) *cobra.Command {
	var (
		o           firehose.Options
		listen      string
		bufferBytes = sizeFlag(5 << 20)
		throttle    sizeFlag
		debug       bool
	)
	cmd := &cobra.Command{
		Use:   "firehose",
		Short: "Run the embedded Firehose alone",
		Long: `Run a Firehose that needs no AWS: it speaks the same API to any AWS client, has
the same limits, and delivers into a directory as Firehose does into S3. Faults
can be asked for, to see how a client takes them; POST /_faults changes them
while it runs. Signatures are not checked: let it listen on loopback only.`,
		Example: `  # a Firehose with one stream
  kinesyslog firehose --dir ./delivered --stream logs

  # what clients do with it
  aws --endpoint-url http://127.0.0.1:4573 firehose list-delivery-streams
  kinesyslog listen --stream logs --endpoint-url http://127.0.0.1:4573 --udp-port 5514

  # a bad day
  kinesyslog firehose --dir ./delivered --stream logs --fail-requests 0.1 --fail-records 0.05 --latency 200ms`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.BufferBytes, o.Faults.ThrottleBytes = int64(bufferBytes), int64(throttle)
			o.Logger = t.logger(debug)
			o.OnObject = func(object firehose.Object) {
				o.Logger.Info("delivered", slog.String("object", object.Path), slog.Int("records", object.Records), slog.Int64("bytes", object.Bytes))
			}
			return untilSignalled(cmd.Context(), func(ctx context.Context) error { return serveFirehose(ctx, t, o, listen) })
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Dir, "dir", "", "`DIRECTORY` to deliver into (required)")
	flags.StringVar(&listen, "listen", "127.0.0.1:4573", "`ADDRESS` and port to listen on; port 0 takes a free one")
	flags.StringArrayVar(&o.Streams, "stream", nil, "`NAME` of a stream that is there from the start; may be repeated")
	flags.BoolVar(&o.AutoCreate, "auto-create", false, "make streams when they are first put to")
	flags.DurationVar(&o.BufferInterval, "buffer-interval", 300*time.Second, "deliver an object when it is this `TIME` old")
	flags.Var(&bufferBytes, "buffer-bytes", "deliver an object when it has this `SIZE`")
	flags.StringVar(&o.Account, "account", "000000000000", "account `ID` in answers")
	flags.StringVar(&o.Region, "region", "us-east-1", "region's `NAME` in answers")
	flags.Float64Var(&o.Faults.FailRequests, "fail-requests", 0, "`PROBABILITY` that a call is refused, 0 to 1")
	flags.Float64Var(&o.Faults.FailRecords, "fail-records", 0, "`PROBABILITY` that a record is refused, 0 to 1")
	flags.Float64Var(&o.Faults.DropConnections, "drop-connections", 0, "`PROBABILITY` that a call is not answered, 0 to 1")
	flags.DurationVar(&o.Faults.Latency, "latency", 0, "`TIME` to wait before each answer")
	flags.Var(&throttle, "throttle-bytes", "`SIZE` of the records taken in a second, at the most; 0 for no limit")
	flags.BoolVar(&o.Faults.Outage, "outage", false, "answer nothing at all")
	flags.Uint64Var(&o.Faults.Seed, "seed", 0, "`NUMBER` that makes chance repeatable")
	flags.BoolVar(&debug, "debug", false, "log more")
	return cmd
}

func serveFirehose(ctx context.Context, t *terminal, o firehose.Options, listen string) error {
	if o.Dir == "" {
		return &usageError{errors.New("no directory to deliver into: give --dir DIRECTORY")}
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w: give another address with --listen", listen, err)
	}
	server, err := firehose.New(o)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if _, err := fmt.Fprintf(t.out, "firehose on http://%s delivers to %s\n", ln.Addr(), o.Dir); err != nil {
		return errors.Join(err, server.Close(), ln.Close())
	}
	closed := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { closed <- server.Close() })()
	if err := server.Serve(ln); err != nil {
		return errors.Join(err, server.Close())
	}
	return <-closed
}

// sizeFlag is a pflag.Value for bytes, such as 5M.
type sizeFlag int64

// Set takes a size.
func (f *sizeFlag) Set(v string) (err error) {
	n, err := config.ParseSize(v)
	*f = sizeFlag(n)
	return err
}

// String is the size in bytes.
func (f *sizeFlag) String() string { return fmt.Sprint(int64(*f)) }

// Type names the value in help.
func (f *sizeFlag) Type() string { return "SIZE" }
