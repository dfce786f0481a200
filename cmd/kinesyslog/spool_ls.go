package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kinesyslog/internal/inspect"
)

func newSpoolLs(t *terminal) *cobra.Command {
	var (
		o      spoolOptions
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "ls [DIRECTORY]",
		Short: "List the files in a spool directory",
		Long: `Print a line for each file of journal and spool, oldest first: its name, what it
is, how long ago it was begun, what it holds, how many messages that is and how
many of them Firehose has not got, its size, and its state:

  waiting     the relay delivers it
  delivered   all of it was delivered; it goes at the next start
  converted   a journal file whose records are in the spool; it goes likewise
  dead        Firehose refused it; it stays until you retry or discard it
  damaged     something in it cannot be read; what is whole is delivered, or was
  unfinished  is being written, or was given up; its messages are elsewhere
  replayed    was set aside, and put back since
  unreadable  the disk does not give it, or a newer version wrote it

Of damaged journal files that were set aside (.journal.bad) no message counts as
undelivered: the relay took what was whole before it set them aside.`,
		Example: `  kinesyslog spool ls /var/lib/kinesyslog

  # the reasons why Firehose refused records
  kinesyslog spool ls /var/lib/kinesyslog --json | jq -r 'select(.state == "dead") | .name + " " + .reason'`,
		Args: oneDirectory,
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := o.openDir(args)
			if err != nil {
				return err
			}
			files, err := d.Files()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(t.out, files...)
			}
			return printFiles(t.out, files, time.Now())
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each file")
	return cmd
}

func newSpoolStat(t *terminal) *cobra.Command {
	var (
		o      spoolOptions
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "stat [DIRECTORY]",
		Short: "Sum up what is in a spool directory",
		Long: `Print how much there is of each kind of file, where the undelivered messages of
each listener are, since when the oldest waits that the relay is to deliver, and
how much room all that takes.`,
		Example: `  kinesyslog spool stat /var/lib/kinesyslog

  # for a check
  kinesyslog spool stat /var/lib/kinesyslog --json | jq .oldestWaiting`,
		Args: oneDirectory,
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := o.openDir(args)
			if err != nil {
				return err
			}
			totals, err := d.Totals()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(t.out, totals)
			}
			return printTotals(t.out, totals, time.Now())
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// printJSON writes a line for each value.
func printJSON[T any](w io.Writer, values ...T) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, v := range values {
		if err := out.Encode(v); err != nil {
			return fmt.Errorf("cannot print: %w", err)
		}
	}
	return nil
}

func printFiles(w io.Writer, files []inspect.File, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tAGE\tHOLDS\tMESSAGES\tUNDELIVERED\tBYTES\tSTATE")
	for _, f := range files {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n",
			f.Name, f.Kind, age(now.Sub(f.Begun)), holds(f.Records, f.Blocks), f.Messages, f.Undelivered, f.Bytes, f.State)
	}
	return table.Flush()
}

func printTotals(w io.Writer, t *inspect.Totals, now time.Time) error {
	oldest := "nothing waits"
	if t.OldestWaiting != nil {
		oldest = fmt.Sprintf("%s, since %s", age(now.Sub(*t.OldestWaiting)), t.OldestWaiting.Local().Format(time.RFC3339))
	}
	fmt.Fprintf(w, "directory       %s\noldest waiting  %s\nroom used       %d bytes in %s\n\n", t.Directory, oldest, t.Bytes, plural(t.Files, "file"))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tFILES\tHOLDS\tMESSAGES\tUNDELIVERED\tBYTES\tDAMAGED FILES")
	for _, k := range t.Kinds {
		fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%d\t%d\t%d\n", k.Kind, k.Files, holds(k.Records, k.Blocks), k.Messages, k.Undelivered, k.Bytes, k.Damaged)
	}
	if err := table.Flush(); err != nil || len(t.Listeners) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nundelivered messages")
	fmt.Fprintln(table, "LISTENER\tJOURNAL\tSPOOL\tDEAD LETTERS\tSET ASIDE")
	for _, l := range t.Listeners {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", l.Listener, l.Journal, l.Spool, l.DeadLetters, l.SetAside)
	}
	return table.Flush()
}

// holds says what a file is made of.
func holds(records, blocks int) string {
	switch {
	case blocks == 0:
		return plural(records, "record")
	case records == 0:
		return plural(blocks, "block")
	}
	return plural(records, "record") + ", " + plural(blocks, "block")
}

func plural[N int | int64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// age is a time in the largest unit that is not too coarse.
func age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
