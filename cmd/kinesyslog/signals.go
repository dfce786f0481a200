package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

var errSecondSignal = errors.New("stopped at once by a second signal: what was not delivered is delivered after the next start")

// untilSignalled calls run with a context that SIGINT and SIGTERM end, and
// returns its error. A second signal makes it return at once, while run is
// still under way: the process is to end then.
func untilSignalled(ctx context.Context, run func(context.Context) error) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil // it was asked to stop, and did
			}
			return err
		case <-signals:
			if ctx.Err() != nil {
				return errSecondSignal
			}
			cancel()
		}
	}
}

// onHangup calls reload for every signal that comes, until ctx is done.
func onHangup(ctx context.Context, hangups <-chan os.Signal, reload func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			reload()
		}
	}
}
