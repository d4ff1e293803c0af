// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the binary: the collector's, with a configuration built in, and with errors
// that take one line.
package cli

import (
	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
)

// NewCommand returns the collector's command. Without --config it takes defaultConfig, which is YAML. What the
// collector would ignore, or find only as it starts, is an error, and every error is one line.
func NewCommand(set otelcol.CollectorSettings, defaultConfig string) *cobra.Command {
	refuseSlips(&set)
	nameVariables(&set)
	root := otelcol.NewCommand(set)
	for _, command := range append(root.Commands(), root) {
		if command.RunE != nil {
			command.RunE = wrap(command.RunE, defaultConfig, command == root)
		}
	}
	return root
}

// wrap gives a command its default configuration, of which the operator is told when it runs, and shortens its errors.
func wrap(run func(*cobra.Command, []string) error, defaultConfig string, runs bool) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if config := cmd.Flags().Lookup("config"); config != nil && !config.Changed {
			// As the first value of the flag, so that --set changes it rather than stands alone.
			if err := config.Value.Set("yaml:" + defaultConfig); err != nil {
				return err
			}
			if runs {
				cmd.PrintErrf("No --config given: running the built-in configuration. See it with: %s print-config\n", cmd.Name())
			}
		}
		if runs {
			defer repeatSignals()()
		}
		return OneLine(run(cmd, args))
	}
}
