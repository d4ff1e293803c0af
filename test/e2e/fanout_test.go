// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// branch is a pipeline behind the fanout connector, with one exporter; settings are its keys, in
// YAML's flow style.
type branch struct{ pipeline, exporter, settings string }

// startFanout starts a collector with all receivers, a fanout connector and the branches. table has
// the connector's keys, in YAML's flow style.
func startFanout(t *testing.T, s *dataFolders, table string, branches ...branch) *instrumentedCollector {
	t.Helper()
	return startInstrumentedWith(t, s, throughFanout(t, table, branches...), nil)
}

// throughFanout adds the connector and the branches to a configuration without exporters.
func throughFanout(t *testing.T, table string, branches ...branch) func(configuration string) string {
	t.Helper()
	var exporters, pipelines strings.Builder
	for _, b := range branches {
		fmt.Fprintf(&exporters, "  %s: {%s}\n", b.exporter, b.settings)
		fmt.Fprintf(&pipelines, "\n    %s: {receivers: [fanout], exporters: [%s]}", b.pipeline, b.exporter)
	}
	return func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", "connectors:\n  fanout: {"+table+"}\nexporters:\n"+exporters.String())
		return replace(t, configuration, "exporters: []}", "exporters: [fanout]}"+pipelines.String())
	}
}
