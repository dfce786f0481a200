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

If a relay of these options is running and has --prometheus-port, or with
--admin, its bill is shown, too: what it has delivered and what that costs.

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
		findings := relay.Check(ctx, cfg)
		if port := cfg.AdminAddress(); url != "" || port != "" {
			findings = append(findings, askBill(ctx, cmp.Or(url, "http://"+port), url != ""))
		}
		return printFindings(t, findings)
	}
	return cmd
}

// askBill asks a relay for its bill. That none is running is worth a warning only
// if one was named.
func askBill(ctx context.Context, url string, named bool) relay.Finding {
	bill, since, err := admin.FetchBill(ctx, url)
	switch {
	case err == nil:
		return relay.Finding{
			Level: "ok", Text: fmt.Sprintf("bill since %s: %s", since.UTC().Format(time.RFC3339), bill), Hint: bill.Hint(),
		}
	case named:
		return relay.Finding{Level: "warning", Text: "bill: " + err.Error()}
	}
	return relay.Finding{Level: "ok", Text: "bill: none yet, as no relay is running at " + url}
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
	if bill, since, err := admin.FetchBill(ctx, url); err == nil {
		fmt.Fprintf(t.out, "bill since %s: %s\n", since.UTC().Format(time.RFC3339), bill)
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
