// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the binary: the collector's own, plus a built-in
// configuration, stricter configuration checks and errors of one line.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
)

// NewCommand returns the collector's command. Without --config it runs defaultConfig, which is
// YAML. Mistakes that the collector ignores, or finds only at start, are configuration errors here,
// and every error is one line.
func NewCommand(set otelcol.CollectorSettings, defaultConfig string) *cobra.Command {
	addLogDefaults(&set)
	nameVariables(&set)
	sources := noteSources(&set)
	checks := addChecks(&set, sources)
	root := otelcol.NewCommand(set)
	root.Args = rootArguments
	root.SuggestionsMinimumDistance = 2
	root.RunE = runCommand(set, checks, watchLocations(root))
	for _, command := range append(root.Commands(), root) {
		if command.RunE != nil {
			command.RunE = wrap(command.RunE, sources, defaultConfig, command == root)
		}
		if command.Name() == "validate" {
			command.Args = noArguments
			command.RunE = printWarnings(command.RunE, checks)
		}
	}
	offline := &explainer{set: set, sources: sources, defaultConfig: defaultConfig}
	root.AddCommand(newQueuesCommand(set, sources, defaultConfig), newExplainCommand(offline), newTestCommand(offline))
	return root
}

// rootArguments is for the command that starts the collector: its arguments are mistyped commands or files.
func rootArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
			return fmt.Errorf("unknown command %q; did you mean %q? --help lists all", args[0], similar[0])
		}
	}
	return noArguments(cmd, args)
}

// noArguments is for commands whose configuration is a flag, which users forget.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q; write --config before the name of a file", args[0])
	}
	return nil
}

// printWarnings makes the validate command print the warnings that are in the log at start.
func printWarnings(run func(*cobra.Command, []string) error, c *checks) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := run(cmd, args); err != nil {
			return err
		}
		for _, warning := range c.warnings {
			cmd.PrintErrln("Warning: " + c.sources.explainAll(mistakes{warning}))
		}
		return nil
	}
}

// wrap gives a command its default configuration and one-line errors. runs is true for the command
// that starts the collector: it also reports the default configuration.
func wrap(run func(*cobra.Command, []string) error, s *sources, defaultConfig string, runs bool) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if config := cmd.Flags().Lookup("config"); config != nil && !config.Changed {
			// The first value of the flag, so that --set is merged over it.
			if err := config.Value.Set("yaml:" + defaultConfig); err != nil {
				return err
			}
			if runs {
				cmd.PrintErrf("No --config given: running the built-in configuration. See it with: %s print-config\n", cmd.Name())
			}
		}
		return s.oneLine(run(cmd, args))
	}
}

// runCommand is the command that starts the collector. Unlike the collector's own, it survives a
// bad configuration on SIGHUP, and a stop signal during the start.
func runCommand(set otelcol.CollectorSettings, c *checks, l *locations) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		signals := repeatSignals()
		defer signals.stop()
		c.starts = true
		return newRunner(set, c.sources, l.uris(), signals.isStopping).run(cmd.Context())
	}
}
