package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

func interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

func TestTheFirstSignalAsksToStop(t *testing.T) {
	for _, end := range []error{nil, context.Canceled} {
		err := untilSignalled(t.Context(), func(ctx context.Context) error {
			interrupt(t)
			<-ctx.Done()
			return end
		})
		if err != nil {
			t.Errorf("run returned %v: got %v", end, err)
		}
	}
}

func TestWhatGoesWrongWhileStoppingIsReported(t *testing.T) {
	failure := errors.New("disk on fire")
	err := untilSignalled(t.Context(), func(ctx context.Context) error {
		interrupt(t)
		<-ctx.Done()
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	err := untilSignalled(t.Context(), func(ctx context.Context) error {
		interrupt(t)
		<-ctx.Done()
		interrupt(t)
		<-release // still busy
		return nil
	})
	if !errors.Is(err, errSecondSignal) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutASignalTheErrorIsThatOfRun(t *testing.T) {
	failure := errors.New("port in use")
	if err := untilSignalled(t.Context(), func(context.Context) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

func TestEveryHangupRereads(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangups, reread, ended := make(chan os.Signal), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		onHangup(ctx, hangups, func() { reread <- struct{}{} })
	}()
	for range 2 {
		hangups <- syscall.SIGHUP
		<-reread
	}
	cancel()
	<-ended
}
