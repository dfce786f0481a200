package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"kinesyslog/internal/config"
	"kinesyslog/internal/inspect"
	"kinesyslog/internal/vfs"
)

func newSpool(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spool",
		Short: "See what waits in a spool directory, and mend it",
		Long: `Work by hand on the spool directory, where messages wait until Firehose has
them. In it are journal files (messages as they came), spool files (records made
of them), dead letters (records that Firehose refused, in dead/), and files whose
names end in .bad, which were set aside because of damage.

ls, stat, verify, cat and export change nothing, and may be used while the relay
runs. retry, replay and discard need the relay to be stopped.

The directory is the one that kinesyslog listen would use: --spool-dir, or the
one in --config, or the first argument if that is a directory. FILE is a name as
ls prints it, or any path.`,
		Example: `  # what waits, and for how long
  kinesyslog spool ls /var/lib/kinesyslog
  kinesyslog spool stat /var/lib/kinesyslog

  # the messages that Firehose refused, and once more to Firehose with them
  kinesyslog spool cat /var/lib/kinesyslog dead/0001784050000000-000-000003.dead
  systemctl stop kinesyslog
  kinesyslog spool retry /var/lib/kinesyslog --all
  systemctl start kinesyslog`,
		Args: unknownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSpoolLs(t), newSpoolStat(t), newSpoolVerify(t), newSpoolCat(t), newSpoolExport(t),
		newSpoolRetry(t), newSpoolReplay(t), newSpoolDiscard(t))
	return cmd
}

// spoolOptions say which directory is meant.
type spoolOptions struct{ dir, config string }

func (o *spoolOptions) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.dir, "spool-dir", "", "the spool `DIRECTORY` (default: as kinesyslog listen finds it)")
	flags.StringVar(&o.config, "config", "", "the relay's configuration `FILE`")
}

// open finds the directory, the names of files among the arguments, and what
// the relay's options are as far as records depend on them.
func (o *spoolOptions) open(args []string) (*inspect.Dir, []string, *config.Listen, error) {
	dir := o.dir
	if len(args) > 0 && isDirectory(args[0]) {
		if dir != "" {
			return nil, nil, nil, &usageError{fmt.Errorf("two spool directories are given, %s and %s: leave one of them out", dir, args[0])}
		}
		dir, args = args[0], args[1:]
	}
	// Nothing will listen or deliver. What only that needs is given values, so
	// that it is not asked for.
	given := map[string][]string{"stream": {"none"}, "port": {"0"}, "udp-port": {"514"}}
	if dir != "" {
		given["spool-dir"] = []string{dir}
	}
	if o.config != "" {
		given["config"] = []string{o.config}
	}
	cfg, err := config.Load(config.Input{Flags: given, LookupEnv: os.LookupEnv})
	if err != nil {
		return nil, nil, nil, &usageError{err}
	}
	d, err := inspect.Open(vfs.OS{}, cfg.SpoolDir)
	if errors.Is(err, fs.ErrNotExist) && dir == "" && len(args) > 0 && !slices.ContainsFunc(args, isAbsent) {
		return inspect.Loose(vfs.OS{}), args, cfg, nil // files that were copied from a relay
	}
	return d, args, cfg, err
}

// openDir is open for verbs that take no files.
func (o *spoolOptions) openDir(args []string) (*inspect.Dir, error) {
	if len(args) > 0 && !isDirectory(args[0]) {
		return nil, fmt.Errorf("%s is not a directory: give the relay's spool directory", args[0])
	}
	d, _, _, err := o.open(args)
	return d, err
}

// own opens the directory for a verb that changes it, and locks it.
func (o *spoolOptions) own(args []string) (*inspect.Owned, []string, error) {
	d, names, _, err := o.open(args)
	if err != nil {
		return nil, nil, err
	}
	if d.Path() == "" {
		return nil, nil, &usageError{errors.New("it is not known which spool directory is meant: give --spool-dir DIRECTORY")}
	}
	owned, err := d.Own()
	return owned, names, err
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isAbsent(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}

// oneDirectory is the check of arguments of verbs that take no files.
func oneDirectory(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one directory, not %d: see %s --help", cmd.CommandPath(), len(args), cmd.CommandPath())
	}
	return nil
}
