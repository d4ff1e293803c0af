// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// locations collects where the command line says that the configuration is. The collector has it
// too, but keeps it to itself.
type locations struct{ configs, sets []string }

// watchLocations returns the locations that the flags of a command will be set to.
func watchLocations(cmd *cobra.Command) *locations {
	l := &locations{}
	watch := func(name string, add func(value string)) {
		if flag := cmd.Flags().Lookup(name); flag != nil {
			flag.Value = watchedFlag{Value: flag.Value, add: add}
		}
	}
	watch("config", func(location string) { l.configs = append(l.configs, location) })
	watch("set", func(assignment string) {
		key, value, _ := strings.Cut(assignment, "=")
		l.sets = append(l.sets, "yaml:"+strings.TrimSpace(strings.ReplaceAll(key, ".", "::"))+": "+strings.TrimSpace(value))
	})
	return l
}

// uris returns the locations in the order in which the collector merges them.
func (l *locations) uris() []string { return slices.Concat(l.configs, l.sets) }

// watchedFlag notes each value that the flag accepts.
type watchedFlag struct {
	pflag.Value
	add func(value string)
}

// Set implements pflag.Value.
func (f watchedFlag) Set(value string) error {
	if err := f.Value.Set(value); err != nil {
		return err
	}
	f.add(value)
	return nil
}
