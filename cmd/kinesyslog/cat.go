package main

import (
	"bufio"
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"kinesyslog/internal/archive"
)

func newCat(t *terminal) *cobra.Command {
	var (
		o      archive.Options
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "cat PATH...",
		Short: "Read what was delivered",
		Long: `Print the messages in what was delivered, in the order of time: in files, in
directories and all below them, under s3://BUCKET/PREFIX, and, as -, on standard
input. What is damaged is reported and passed over, and makes the exit status 1.`,
		Example: `  # what kinesyslog listen --local ./delivered delivered
  kinesyslog cat ./delivered

  # one JSON object an event: id, timestamp, message, logGroup, logStream, owner
  kinesyslog cat --json ./delivered/kinesyslog/2026/07 | jq .message

  # from S3
  kinesyslog cat s3://BUCKET/2026/07/14/`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("nothing to read: give a file, a directory, s3://BUCKET/PREFIX, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := archive.Open(cmd.Context(), o, args...)
			if err != nil {
				return err
			}
			return printEvents(t, a.Events(cmd.Context()), asJSON)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line for each event")
	flags.StringVar(&o.Region, "region", "", "AWS region's `NAME`, for S3")
	flags.StringVar(&o.Profile, "profile", "", "`NAME` of a profile in AWS's configuration files, for S3")
	flags.StringVar(&o.Endpoint, "endpoint-url", "", "`URL` of the S3 API")
	return cmd
}

// printEvents goes on after what cannot be read, and fails for it at the end.
func printEvents(t *terminal, events iter.Seq2[archive.Event, error], asJSON bool) error {
	out := bufio.NewWriterSize(t.out, 64<<10)
	unread := 0
	var line []byte
	for event, err := range events {
		if err != nil {
			unread++
			fmt.Fprintf(t.err, "kinesyslog: %v\n", err)
			continue
		}
		if asJSON {
			line = archive.AppendJSON(line[:0], event)
		} else {
			line = append(line[:0], event.Message...)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("writing messages: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing messages: %w", err)
	}
	if unread > 0 {
		return fmt.Errorf("what is damaged was passed over, in places: %d; all the rest was printed", unread)
	}
	return nil
}
