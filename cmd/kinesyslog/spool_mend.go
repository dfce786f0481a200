package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kinesyslog/internal/inspect"
)

func newSpoolRetry(t *terminal) *cobra.Command {
	var (
		o   spoolOptions
		all bool
	)
	cmd := &cobra.Command{
		Use:   "retry [DIRECTORY] FILE...|--all",
		Short: "Offer dead letters to Firehose once more",
		Long: `Put the records of dead letters back into the spool, the same bytes with the same
event ids, so that the relay offers them to Firehose again when it is started. A
record that Firehose refuses again becomes a dead letter again. The relay must
not run meanwhile.`,
		Example: `  systemctl stop kinesyslog
  kinesyslog spool retry /var/lib/kinesyslog --all
  systemctl start kinesyslog`,
		RunE: func(_ *cobra.Command, args []string) error {
			return mend(t, &o, args, all, (*inspect.Owned).Letters, (*inspect.Owned).Retry)
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters")
	return cmd
}

func newSpoolReplay(t *terminal) *cobra.Command {
	var (
		o   spoolOptions
		all bool
	)
	cmd := &cobra.Command{
		Use:   "replay [DIRECTORY] FILE...|--all",
		Short: "Put back what was set aside or copied",
		Long: `Put what is whole in files that were set aside because of damage (.bad) into new
files, which the relay delivers when it is started: of spool files the records
that were not delivered, of journal files all messages. Event ids stay as they
were. A file that was replayed is renamed to .replayed, for you to discard. The
relay must not run meanwhile.

Of a damaged journal file the relay takes what is whole before it sets the file
aside. To replay it delivers these messages again, with the same event ids.

FILE may also be the path of a journal file, spool file or dead letter that is
not in the directory: a backup, or one from a relay that is given up. It is left
as it is.`,
		Example: `  systemctl stop kinesyslog
  kinesyslog spool replay /var/lib/kinesyslog 0001784050000000-000.spool.bad
  systemctl start kinesyslog

  # what another relay left
  kinesyslog spool replay /var/lib/kinesyslog ./from-the-old-machine/*.journal ./from-the-old-machine/*.spool`,
		RunE: func(_ *cobra.Command, args []string) error {
			return mend(t, &o, args, all, (*inspect.Owned).SetAside, (*inspect.Owned).Replay)
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "all files that were set aside")
	return cmd
}

// mend does something with the files that are named, or with all that find
// returns.
func mend(t *terminal, o *spoolOptions, args []string, all bool,
	find func(*inspect.Owned) ([]inspect.File, error), do func(*inspect.Owned, []inspect.File) []inspect.Outcome,
) error {
	owned, names, err := o.own(args)
	if err != nil {
		return err
	}
	defer owned.Release() // the lock goes with the process anyway
	files, err := choose(names, all, func() ([]inspect.File, error) { return find(owned) }, owned.Files)
	if err != nil {
		return err
	}
	done, failed := 0, 0
	var messages int64
	for _, out := range do(owned, files) {
		if out.Into != "" {
			done++
			messages += out.Messages
			fmt.Fprintf(t.out, "%s: %s with %s, now in %s\n", out.File.Name, holds(out.Records, out.Blocks), plural(out.Messages, "message"), out.Into)
		} else if out.Err == nil {
			fmt.Fprintf(t.out, "%s: nothing in it is both whole and undelivered\n", out.File.Name)
		}
		if out.Damaged > 0 {
			fmt.Fprintf(t.out, "%s: places that cannot be read: %d\n", out.File.Name, out.Damaged)
		}
		if out.Err != nil {
			failed++
			fmt.Fprintf(t.err, "kinesyslog: %s: %v\n", out.File.Name, out.Err)
		}
	}
	then := ""
	if done > 0 {
		then = "; the relay delivers them when it is started"
	}
	_, err = fmt.Fprintf(t.out, "put back: %s with %s%s\n", plural(done, "file"), plural(messages, "message"), then)
	if err != nil {
		return fmt.Errorf("cannot print: %w", err)
	}
	if failed > 0 {
		return fmt.Errorf("this failed with %s of %d: see above", plural(failed, "file"), len(files))
	}
	return nil
}

// choose returns the files that are named, or all.
func choose(names []string, all bool, find func() ([]inspect.File, error), named func(...string) ([]inspect.File, error)) ([]inspect.File, error) {
	switch {
	case all && len(names) > 0:
		return nil, &usageError{errors.New("files are named and all are asked for: leave one of them out")}
	case all:
		return find()
	case len(names) == 0:
		return nil, &usageError{errors.New("no file is named: give names as kinesyslog spool ls prints them, or ask for all: see --help")}
	}
	return named(names...)
}

func newSpoolDiscard(t *terminal) *cobra.Command {
	var (
		o        spoolOptions
		all, yes bool
	)
	cmd := &cobra.Command{
		Use:   "discard [DIRECTORY] FILE...|--all-dead",
		Short: "Remove dead letters and what was set aside",
		Long: `Remove dead letters, files that were set aside (.bad), or those that were replayed
(.replayed), and print how many undelivered messages are lost by it. Without
--yes nothing is removed; with it the relay must not run.`,
		Example: `  # what would be lost
  kinesyslog spool discard /var/lib/kinesyslog --all-dead

  systemctl stop kinesyslog
  kinesyslog spool discard /var/lib/kinesyslog --all-dead --yes
  systemctl start kinesyslog`,
		RunE: func(_ *cobra.Command, args []string) error {
			if !yes {
				d, names, _, err := o.open(args)
				if err != nil {
					return err
				}
				return wouldDiscard(t, d, names, all)
			}
			owned, names, err := o.own(args)
			if err != nil {
				return err
			}
			defer owned.Release() // the lock goes with the process anyway
			files, err := choose(names, all, owned.Letters, owned.Files)
			if err != nil {
				return err
			}
			return printDiscarded(t, owned.Discard(files))
		},
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&all, "all-dead", false, "all dead letters")
	cmd.Flags().BoolVar(&yes, "yes", false, "remove them, and lose what is in them")
	return cmd
}

// wouldDiscard says what would be lost, and asks for --yes.
func wouldDiscard(t *terminal, d *inspect.Dir, names []string, all bool) error {
	files, err := choose(names, all, d.Letters, d.Files)
	if err != nil {
		return err
	}
	var messages int64
	for _, f := range files {
		if err := f.Discardable(); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		messages += f.Undelivered
		fmt.Fprintf(t.out, "%s: %s would be lost\n", f.Name, plural(f.Undelivered, "message"))
	}
	if len(files) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("nothing was removed: give --yes to remove %s and to lose %s", plural(len(files), "file"), plural(messages, "message"))}
}

func printDiscarded(t *terminal, outcomes []inspect.Outcome) error {
	failed := 0
	var messages int64
	for _, out := range outcomes {
		if out.Err != nil {
			failed++
			fmt.Fprintf(t.err, "kinesyslog: %s: %v\n", out.File.Name, out.Err)
			continue
		}
		messages += out.Messages
		fmt.Fprintf(t.out, "%s: removed, %s lost\n", out.File.Name, plural(out.Messages, "message"))
	}
	_, err := fmt.Fprintf(t.out, "removed: %s, %s lost\n", plural(len(outcomes)-failed, "file"), plural(messages, "message"))
	if err != nil {
		return fmt.Errorf("cannot print: %w", err)
	}
	if failed > 0 {
		return fmt.Errorf("this failed with %s of %d: see above", plural(failed, "file"), len(outcomes))
	}
	return nil
}
