package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write manual pages",
		Long:   "Write a manual page for each verb into a directory. SOURCE_DATE_EPOCH sets their date.",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("one directory is needed to write manual pages into: give its path")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("cannot make the directory for manual pages: %w", err)
			}
			header := &doc.GenManHeader{Section: "1", Source: "kinesyslog " + versionText(), Manual: "kinesyslog"}
			if err := doc.GenManTree(cmd.Root(), header, args[0]); err != nil {
				return fmt.Errorf("cannot write manual pages into %s: %w", args[0], err)
			}
			return nil
		},
	}
}
