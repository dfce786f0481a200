package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kinesyslog/internal/admin"
	"kinesyslog/internal/config"
	"kinesyslog/internal/relay"
)

// checkTimeout bounds all that check asks of others.
const checkTimeout = 30 * time.Second

func newCheck(t *terminal) *cobra.Command {
	var (
		books bool
		url   string
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say why it would not work, and how to mend it",
		Long: `Look at everything that kinesyslog listen would need with the same options:
configuration, spool directory, certificates, region, credentials and stream.
No message is sent to Firehose, and nothing is changed but that the spool
directory is made if it is not there. Exit status 1 if something is wrong.

With --ledger, ask the running relay for its books instead: received + recovered
= delivered + held + dropped, for each listener. Exit status 1 if they do not
balance.`,
		Example: `  # would this work?
  kinesyslog check --config /etc/kinesyslog/kinesyslog.yaml

  # where are the messages?
  kinesyslog check --ledger --admin http://127.0.0.1:9100`,
		Args: noArguments,
	}
	cmd.Flags().BoolVar(&books, "ledger", false, "show the books of a running relay")
	cmd.Flags().StringVar(&url, "admin", "", "`URL` of that relay's status page (default: http://127.0.0.1 and --prometheus-port, else port 9100)")
	given := bindOptions(cmd, config.Options())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), checkTimeout)
		defer cancel()
		cfg, err := config.Load(config.Input{Flags: given, LookupEnv: os.LookupEnv})
		if books {
			port := ""
			if err == nil { // the relay's own options need not be known
				port = cfg.AdminAddress()
			}
			return printBooks(ctx, t, cmp.Or(url, "http://"+cmp.Or(port, "127.0.0.1:9100")))
		}
		if err != nil {
			return &usageError{err}
		}
		return printFindings(t, relay.Check(ctx, cfg))
	}
	return cmd
}

func printFindings(t *terminal, findings []relay.Finding) error {
	bad := 0
	for _, f := range findings {
		fmt.Fprintf(t.out, "%-8s %s\n", f.Level, f.Text)
		if f.Hint != "" {
			fmt.Fprintf(t.out, "%-8s %s\n", "", f.Hint)
		}
		if f.Bad {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("it would not work: %d of %d things that were looked at are wrong", bad, len(findings))
	}
	return nil
}

func printBooks(ctx context.Context, t *terminal, url string) error {
	accounts, notReady, err := admin.FetchAccounts(ctx, url)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "LISTENER\tRECEIVED\tRECOVERED\tDELIVERED\tHELD\tDROPPED\tDIFFERENCE\t")
	var reasons []string
	var out int64
	for _, a := range accounts {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", a.Name, a.Received, a.Recovered, a.Delivered, sum(a.Held), sum(a.Dropped), a.Difference)
		out += max(a.Difference, -a.Difference)
		for _, reason := range slices.Sorted(maps.Keys(a.Dropped)) {
			reasons = append(reasons, fmt.Sprintf("%s dropped %d: %s", a.Name, a.Dropped[reason], reason))
		}
	}
	_ = w.Flush() // to standard output, as all that follows
	for _, line := range slices.Concat(reasons, notReady) {
		fmt.Fprintln(t.out, strings.TrimSpace(line))
	}
	if out != 0 {
		return errors.New("the books do not balance, which is a fault in kinesyslog: please report it")
	}
	return nil
}

func sum(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}
