package main

import (
	"github.com/spf13/cobra"

	"kinesyslog/internal/config"
)

// givenFlags collects what was given on the command line as it was given, for
// config.Load, which knows what it means.
type givenFlags map[string][]string

// bindOptions makes flags of options.
func bindOptions(cmd *cobra.Command, options []config.Option) givenFlags {
	given := givenFlags{}
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, o := range options {
		usage := o.Help
		if o.Repeat {
			usage += "; may be repeated"
		}
		if o.Depends != "" {
			usage += " (" + o.Depends + ")"
		}
		flags.Var(&optionFlag{o, o.Name, given}, o.Name, usage)
		if o.Alias != "" {
			flags.Var(&optionFlag{o, o.Alias, given}, o.Alias, "another name of --"+o.Name)
			flags.Lookup(o.Alias).DefValue = ""
		}
		if o.Arg == "" {
			flags.Lookup(o.Name).NoOptDefVal = "true"
		}
	}
	return given
}

// optionFlag is a pflag.Value.
type optionFlag struct {
	option config.Option
	name   string
	given  givenFlags
}

// Set keeps a value for config.Load.
func (f *optionFlag) Set(v string) error {
	f.given[f.name] = append(f.given[f.name], v)
	return nil
}

// String is what help shows as the default.
func (f *optionFlag) String() string { return f.option.Default }

// Type is what help calls the value; it knows "bool" for a switch.
func (f *optionFlag) Type() string {
	if f.option.Arg == "" {
		return "bool"
	}
	return f.option.Arg
}
