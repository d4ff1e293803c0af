// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// queues is the queues command, which works on the files of queues while no collector runs.
type queues struct {
	set           otelcol.CollectorSettings
	sources       *sources
	defaultConfig string

	configs   []string
	directory string
}

func newQueuesCommand(set otelcol.CollectorSettings, s *sources, defaultConfig string) *cobra.Command {
	q := &queues{set: set, sources: s, defaultConfig: defaultConfig}
	parent := &cobra.Command{
		Use:   "queues",
		Short: "List, move and drop queues on disk",
		Long: "List, move and drop the queues that exporters keep in the directory of file_storage.\n" +
			"A queue that a collector has open can only be listed.",
	}
	parent.PersistentFlags().StringArrayVar(&q.configs, "config", nil, "Location of a config file, for the directory of its file_storage; repeatable")
	parent.PersistentFlags().StringVar(&q.directory, "directory", "", "The directory of file_storage, instead of --config")
	parent.AddCommand(&cobra.Command{
		Use: "list", Short: "List the queues, with their events", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return q.sources.oneLine(q.list(cmd)) },
	}, &cobra.Command{
		Use: "move FROM TO", Short: "Give the queues of an exporter to another one of the same type, such as webhook/old webhook/new", Args: cobra.ExactArgs(2), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error { return q.sources.oneLine(q.move(cmd, args[0], args[1])) },
	}, &cobra.Command{
		Use: "drop NAME", Short: "Delete the queues of an exporter, with their events", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error { return q.sources.oneLine(q.drop(cmd, args[0])) },
	})
	return parent
}

func (q *queues) list(cmd *cobra.Command) error {
	directory, err := q.findDirectory(cmd.Context())
	if err != nil {
		return err
	}
	factories, err := q.set.Factories()
	if err != nil {
		return err
	}
	isType := func(t component.Type) bool { return factories.Exporters[t] != nil }
	reports, err := queuefile.List(cmd.Context(), directory, isType, nil)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "EXPORTER\tSIGNAL\tEVENTS\tBYTES\tSTATE\tFILE")
	for i := range reports {
		report := &reports[i]
		events, size := strconv.Itoa(report.Events), strconv.FormatInt(report.Bytes, 10)
		if report.Problem != nil {
			events, size = "-", "-"
		}
		_, _ = fmt.Fprintln(table, strings.Join([]string{report.Exporter.String(), report.Signal, events, size, stateOf(report.Problem), filepath.Base(report.File)}, "\t"))
	}
	return table.Flush()
}

// stateOf describes the state of a file.
func stateOf(problem error) string {
	if problem == nil {
		return "ok"
	}
	if _, inUse := errors.AsType[*queuefile.InUseError](problem); inUse {
		return "in use"
	}
	if _, damaged := errors.AsType[*queuefile.DamagedError](problem); damaged {
		return "damaged"
	}
	return problem.Error()
}

func (q *queues) move(cmd *cobra.Command, from, to string) error {
	fromID, err := exporterID(from)
	if err != nil {
		return err
	}
	toID, err := exporterID(to)
	if err != nil {
		return err
	}
	directory, err := q.findDirectory(cmd.Context())
	if err != nil {
		return err
	}
	moved, err := queuefile.Move(cmd.Context(), directory, fromID, toID)
	for _, m := range moved {
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "moved %s of %s to %s: %d events\n", m.Signal, fromID, toID, m.Events)
	}
	return err
}

func (q *queues) drop(cmd *cobra.Command, name string) error {
	id, err := exporterID(name)
	if err != nil {
		return err
	}
	directory, err := q.findDirectory(cmd.Context())
	if err != nil {
		return err
	}
	dropped, err := queuefile.Drop(cmd.Context(), directory, id)
	for _, d := range dropped {
		if d.Damaged {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "dropped %s of %s: the file was damaged\n", d.Signal, id)
			continue
		}
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "dropped %s of %s: %d events\n", d.Signal, id, d.Events)
	}
	return err
}

func exporterID(name string) (component.ID, error) {
	var id component.ID
	if err := id.UnmarshalText([]byte(name)); err != nil {
		return id, fmt.Errorf("%q is not the name of an exporter, such as webhook/audit: %w", name, err)
	}
	return id, nil
}

// findDirectory returns the directory of --directory, or that of the only file_storage in the
// configuration.
func (q *queues) findDirectory(ctx context.Context) (string, error) {
	if q.directory != "" {
		return q.directory, nil
	}
	resolver := q.set.ConfigProviderSettings
	resolver.ResolverSettings.URIs = q.configs
	if len(q.configs) == 0 {
		resolver.ResolverSettings.URIs = []string{"yaml:" + q.defaultConfig}
	}
	if resolver.ResolverSettings.DefaultScheme == "" {
		resolver.ResolverSettings.DefaultScheme = "env"
	}
	factories, err := q.set.Factories()
	if err != nil {
		return "", err
	}
	provider, err := otelcol.NewConfigProvider(resolver)
	if err != nil {
		return "", err
	}
	cfg, err := provider.Get(ctx, factories)
	if err != nil {
		return "", fmt.Errorf("failed to get config: %w", err)
	}
	directories := map[string]bool{}
	for _, extension := range cfg.Extensions {
		if files, ok := extension.(*filestorage.Config); ok {
			directories[files.Directory] = true
		}
	}
	switch found := slices.Sorted(maps.Keys(directories)); len(found) {
	case 0:
		return "", errors.New("the configuration has no file_storage, or it is off; name its directory with --directory")
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("the configuration has several directories (%s); name one with --directory", strings.Join(found, ", "))
	}
}
