package main

import (
	"errors"
	"fmt"
	"iter"

	"github.com/spf13/cobra"

	"kinesyslog/internal/archive"
	"kinesyslog/internal/inspect"
	"kinesyslog/internal/relay"
)

func newSpoolVerify(t *terminal) *cobra.Command {
	var o spoolOptions
	cmd := &cobra.Command{
		Use:   "verify [DIRECTORY] [FILE]...",
		Short: "Check every byte of what is in a spool directory",
		Long: `Check all checksums of journal files, spool files, dead letters and files that
were set aside, and that every record can be read by a consumer: one gzip member,
one document, as many messages as were counted. Damage is printed with file and
offset, a line each, and makes the exit status 1.

A journal file that ends in the middle of a block is damaged, too. A crash does
that to the last write, of which nobody was told that it was safe.`,
		Example: `  kinesyslog spool verify /var/lib/kinesyslog
  kinesyslog spool verify ./0001784050000000-000.journal.bad`,
		RunE: func(_ *cobra.Command, args []string) error {
			d, names, _, err := o.open(args)
			if err != nil {
				return err
			}
			files, err := d.Holding(names...)
			if err != nil {
				return err
			}
			return printReports(t, d.Verify(files))
		},
	}
	o.bind(cmd)
	return cmd
}

func printReports(t *terminal, reports iter.Seq[inspect.Report]) error {
	var files, records, blocks, damaged int
	var messages int64
	for r := range reports {
		for _, damage := range r.Damage {
			if _, err := fmt.Fprintf(t.out, "%s: %s\n", r.File.Name, damage); err != nil {
				return fmt.Errorf("cannot print: %w", err)
			}
		}
		files++
		records += r.Records
		blocks += r.Blocks
		messages += r.Messages
		damaged += len(r.Damage)
	}
	_, err := fmt.Fprintf(t.out, "whole: %s and %s with %s, in %s\n",
		plural(records, "record"), plural(blocks, "block"), plural(messages, "message"), plural(files, "file"))
	if err != nil {
		return fmt.Errorf("cannot print: %w", err)
	}
	if damaged > 0 {
		return fmt.Errorf("there is damage, in places: %d: what is whole is delivered all the same; look at the disk (dmesg)", damaged)
	}
	return nil
}

func newSpoolCat(t *terminal) *cobra.Command {
	var (
		o                   spoolOptions
		asJSON, undelivered bool
	)
	cmd := &cobra.Command{
		Use:   "cat [DIRECTORY] [FILE]...",
		Short: "Print the messages in a spool directory",
		Long: `Print the messages in spool files, journal files, dead letters and files that
were set aside: everything that can be read, file by file, oldest first. What is
damaged is reported and passed over, and makes the exit status 1.

Messages in journal files are printed as they came. Their timestamp is the time
of receipt, as their own is read, and a header that they lack is given, when they
are made into records.`,
		Example: `  # everything, one JSON object a message: id, timestamp, message, logGroup, logStream, owner
  kinesyslog spool cat --json /var/lib/kinesyslog

  # what Firehose has not got
  kinesyslog spool cat --undelivered /var/lib/kinesyslog

  # one file
  kinesyslog spool cat /var/lib/kinesyslog dead/0001784050000000-000-000003.dead`,
		RunE: func(_ *cobra.Command, args []string) error {
			d, names, cfg, err := o.open(args)
			if err != nil {
				return err
			}
			files, err := d.Holding(names...)
			if err != nil {
				return err
			}
			messages := d.Messages(files, inspect.ReadOptions{Undelivered: undelivered, GroupPrefix: cfg.GroupPrefix})
			return printEvents(t, func(yield func(archive.Event, error) bool) {
				for m, err := range messages {
					if !yield(archive.Event(m), err) {
						return
					}
				}
			}, asJSON)
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each message")
	cmd.Flags().BoolVar(&undelivered, "undelivered", false, "leave out what Firehose has got")
	return cmd
}

func newSpoolExport(t *terminal) *cobra.Command {
	var (
		o spoolOptions
		e inspect.ExportOptions
	)
	cmd := &cobra.Command{
		Use:   "export [DIRECTORY] [FILE]... --to DIRECTORY",
		Short: "Write what is not delivered as objects",
		Long: `Write what Firehose has not got as objects, such as Firehose writes to S3: .gz
files of one gzip member a record, below YYYY/MM/DD/HH/. So it can be copied to
S3 by hand, where Firehose will not take it, or from a machine that is given up.
The messages in journal files are made into records first; for the same records
as the relay would make, give its configuration with --config.

The spool directory is not changed: what was exported and copied is delivered as
well when the relay runs, with the same event ids. The same files have the same
names when they are exported again.`,
		Example: `  kinesyslog spool export /var/lib/kinesyslog --to ./rescued --config /etc/kinesyslog/kinesyslog.yaml
  kinesyslog cat ./rescued
  aws s3 cp --recursive ./rescued s3://BUCKET/PREFIX/`,
		RunE: func(_ *cobra.Command, args []string) error {
			if e.To == "" {
				return &usageError{errors.New("no directory to export into: give --to DIRECTORY")}
			}
			d, names, cfg, err := o.open(args)
			if err != nil {
				return err
			}
			files, err := d.Holding(names...)
			if err != nil {
				return err
			}
			convert, err := relay.Converter(cfg)
			if err != nil {
				return err
			}
			e.Convert = convert
			return printObjects(t, d.Export(files, e))
		},
	}
	o.bind(cmd)
	cmd.Flags().StringVar(&e.To, "to", "", "`DIRECTORY` to write objects into (required)")
	cmd.Flags().BoolVar(&e.Delivered, "delivered", false, "also what Firehose has got, as far as it is still there")
	return cmd
}

func printObjects(t *terminal, objects iter.Seq2[inspect.Object, error]) error {
	var files, records, unread int
	var messages int64
	for o, err := range objects {
		if err != nil {
			unread++
			fmt.Fprintf(t.err, "kinesyslog: %v\n", err)
			continue
		}
		if _, err := fmt.Fprintf(t.out, "%s: %s, %s\n", o.Path, plural(o.Records, "record"), plural(o.Messages, "message")); err != nil {
			return fmt.Errorf("cannot print: %w", err)
		}
		files++
		records += o.Records
		messages += o.Messages
	}
	if _, err := fmt.Fprintf(t.out, "exported: %s with %s, in %s\n", plural(records, "record"), plural(messages, "message"), plural(files, "object")); err != nil {
		return fmt.Errorf("cannot print: %w", err)
	}
	if unread > 0 {
		return fmt.Errorf("not all was exported, in places: %d; all the rest was", unread)
	}
	return nil
}
