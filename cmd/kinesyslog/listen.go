package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"kinesyslog/internal/config"
	"kinesyslog/internal/relay"
)

func newListen(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Take syslog and deliver it",
		Long: `Take syslog over UDP (RFC 5426), TCP (RFC 6587), TLS (RFC 5425) and RELP, and GELF,
and put it into an Amazon Data Firehose delivery stream.

Every option may also be given in the environment, as KINESYSLOG_ and its name
in capitals with underscores (KINESYSLOG_UDP_PORT="514 1514"), or in the file
that --config names, as a YAML key (udp-port: [514, 1514]). Flags win over the
environment, and the environment wins over the file.

Credentials are found as by any AWS tool. Only firehose:PutRecordBatch is
needed. Messages are taken, and wait on disk, also while AWS cannot be reached.
GOMEMLIMIT in the environment (64MiB, say) bounds what is held in memory.

SIGTERM and SIGINT stop the relay in good order; a second one stops it at once.
Either way, what was not delivered is delivered after the next start. Certificates,
keys, authorities, revocation lists and files of --permit are reread when they
change, and at SIGHUP; no connection is closed for it.`,
		Example: `  # try it, without an AWS account
  kinesyslog listen --local ./delivered --udp-port 5514 --tcp-port 5514

  # TLS on port 6514, with the certificate made by kinesyslog cert
  kinesyslog listen --stream STREAM --cert localhost.crt --key localhost.key

  # UDP and TCP on the usual ports, no TLS, numbers for Prometheus
  kinesyslog listen --stream STREAM --port 0 --udp-port 514 --tcp-port 514 --prometheus-port 9100

  # all from a file
  kinesyslog listen --config /etc/kinesyslog/kinesyslog.yaml`,
		Args: noArguments,
	}
	given := bindOptions(cmd, config.Options())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(config.Input{Flags: given, LookupEnv: os.LookupEnv})
		if err != nil {
			return &usageError{err}
		}
		cfg.Version = versionText()
		return untilSignalled(cmd.Context(), func(ctx context.Context) error { return listen(ctx, t, cfg) })
	}
	return cmd
}

func listen(ctx context.Context, t *terminal, cfg *config.Listen) error {
	// Little is alive on the heap and much of it are calls of 4 MiB each: the
	// usual doubling would cost 30 MiB more for 2 % less processor time.
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(50)
	}
	// A relay goes on when nobody reads its report or its log any more.
	signal.Ignore(syscall.SIGPIPE)
	if err := cfg.Prepare(); err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1) // one that comes while the relay is made is served later
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	logger := t.logger(cfg.Debug)
	for _, w := range cfg.Warnings {
		logger.Warn(w)
	}
	r, err := relay.New(cfg, logger, t.out)
	if err != nil {
		return err
	}
	reportListening(t.out, invocation(os.Args[0]), cfg, r.Listening())
	notify := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			logger.Warn("cannot tell systemd", "state", state, "error", err)
		}
	}
	notify(daemon.SdNotifyReady)
	stopping := context.AfterFunc(ctx, func() { notify(daemon.SdNotifyStopping) })
	defer stopping()
	ctx, done := context.WithCancel(ctx)
	defer done()
	go onHangup(ctx, hangups, r.Reload)
	return r.Run(ctx)
}
