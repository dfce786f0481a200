// Command kinesyslog takes syslog from anything that speaks it and puts it
// into Amazon Data Firehose.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // --timezone works where no zone files are installed

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(newTerminal(), os.Args[1:])) }

// run does what the command line asks for and returns the exit status.
func run(t *terminal, args []string) int {
	root := newRoot(t)
	parsed := false // what goes wrong before is wrong with the command line
	root.PersistentPreRun = func(*cobra.Command, []string) { parsed = true }
	root.SetArgs(args)
	err := root.Execute()
	if err != nil && !parsed {
		err = &usageError{err}
	}
	return t.exit(err)
}

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "kinesyslog",
		Short: "syslog into Amazon Data Firehose",
		Long: `kinesyslog takes syslog over UDP, TCP, TLS, DTLS and RELP, and GELF, and puts it
into Amazon Data Firehose, in the form that CloudWatch Logs uses. What it has
taken survives a crash, and waits on disk for as long as AWS cannot be reached.`,
		Example: `  # try it, without an AWS account
  kinesyslog listen --local ./delivered --udp-port 5514 --tcp-port 5514

  # deliver for real
  kinesyslog listen --stream STREAM --udp-port 514 --port 0`,
		Args: unknownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())
	})
	root.SetUsageFunc(printUsage)
	root.AddCommand(newListen(t), newCheck(t), newExplain(t), newCat(t), newSpool(t), newFirehose(t), newCert(t), newVersion(t), newMan())
	return root
}

// unknownVerb is the check of arguments of what has verbs: it takes none.
func unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		return fmt.Errorf("there is no verb %q: did you mean %s?", args[0], meant[0])
	}
	return fmt.Errorf("there is no verb %q: see %s --help for those there are", args[0], cmd.CommandPath())
}

// noArguments is the check of verbs that take options only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes options only, and %q is none: see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
}
