// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/cases"
)

// exitFailedCases is the exit code if a case fails. That of every error is 1.
const exitFailedCases = 2

// testCommand is the test command.
type testCommand struct {
	*explainer

	junit string
	exit  func(code int)
}

func newTestCommand(e *explainer) *cobra.Command {
	t := &testCommand{explainer: e, exit: os.Exit}
	cmd := &cobra.Command{
		Use:   "test CASES.yaml",
		Short: "Check what a configuration would send for the events in a file",
		Long: "Check what a configuration would send for the events in a file, without sending anything.\n" +
			"The exit code is 0 if all cases pass, 2 if one fails, and 1 if they cannot be run.\n\n" +
			"  otelcol-fanout test --config my.yaml cases.yaml --junit report.xml",
		Args: oneFileOfCases, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error { return t.oneLine(t.run(cmd, args[0])) },
	}
	e.addFlags(cmd)
	cmd.Flags().StringVar(&t.junit, "junit", "", "File to write the results to, as JUnit XML")
	return cmd
}

func oneFileOfCases(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("the file with the cases is missing; write test --config my.yaml cases.yaml")
	case 1:
		return nil
	default:
		return fmt.Errorf("unexpected argument %q; write one file with cases, and --config before the name of a configuration", args[1])
	}
}

func (t *testCommand) run(cmd *cobra.Command, name string) error {
	file, err := cases.Read(name)
	if err != nil {
		return err
	}
	for variable, value := range file.Environment {
		if err := os.Setenv(variable, value); err != nil {
			return fmt.Errorf("%s: environment: %q is not the name of a variable", name, variable)
		}
	}
	set, err := t.settings(cmd.Context())
	if err != nil {
		return err
	}
	outcomes, err := file.Run(cmd.Context(), set)
	if err != nil {
		return err
	}
	if err := t.report(name, outcomes); err != nil {
		return err
	}
	if err := cases.WriteText(cmd.OutOrStdout(), outcomes); err != nil {
		return err
	}
	if cases.Failed(outcomes) > 0 {
		t.exit(exitFailedCases)
	}
	return nil
}

// report writes the results as JUnit XML, if a file for them is named.
func (t *testCommand) report(name string, outcomes []cases.Outcome) error {
	if t.junit == "" {
		return nil
	}
	file, err := os.Create(t.junit)
	if err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	return errors.Join(cases.WriteJUnit(file, name, outcomes), file.Close())
}
