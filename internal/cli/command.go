// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the binary: the collector's, with a configuration built in, and with errors
// that take one line.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
)

// NewCommand returns the collector's command. Started without --config it runs the given YAML. Every error it
// returns is one line.
func NewCommand(set otelcol.CollectorSettings, defaultConfig string) *cobra.Command {
	set.ConfigProviderSettings.ResolverSettings.URIs = []string{"yaml:" + defaultConfig}
	root := otelcol.NewCommand(set)
	sayDefault(root)
	for _, command := range append(root.Commands(), root) {
		shortenErrors(command)
	}
	return root
}

// sayDefault tells the operator when it is the built-in configuration that runs.
func sayDefault(root *cobra.Command) {
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("config") {
			fmt.Fprintf(cmd.ErrOrStderr(), "No --config given: running the built-in configuration. See it with: %s print-config\n", cmd.Name())
		}
		return run(cmd, args)
	}
}

func shortenErrors(cmd *cobra.Command) {
	run := cmd.RunE
	if run == nil {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return OneLine(run(cmd, args))
	}
}
