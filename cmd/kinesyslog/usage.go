package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// helpWidth is where help wraps what options do.
const helpWidth = 100

// printUsage is what --help shows below the description. It takes the place of
// cobra's template: a template in use makes the linker keep every method of the
// AWS SDK, 8 MB of them.
func printUsage(cmd *cobra.Command) error {
	var b strings.Builder
	line := cmd.CommandPath()
	if cmd.HasAvailableSubCommands() {
		line += " VERB"
	} else if _, arguments, ok := strings.Cut(cmd.Use, " "); ok {
		line += " " + arguments
	}
	fmt.Fprintf(&b, "Usage:\n  %s [OPTION]...\n", line)
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nVerbs:\n")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, verb := range cmd.Commands() {
			if verb.IsAvailableCommand() {
				fmt.Fprintf(table, "  %s\t%s\n", verb.Name(), verb.Short)
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintf(&b, "\nOptions:\n%s", cmd.LocalFlags().FlagUsagesWrapped(helpWidth))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s VERB --help says more of a verb.\n", cmd.CommandPath())
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}
