// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden compares the requests of each testdata/<case> with its want.batch and want.v1. A case
// has logs.yaml or traces.yaml, which is OTLP JSON written as YAML, and optionally config.yaml,
// which overrides the defaults.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*/*s.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(inputs), 25)
	for _, file := range inputs {
		dir := filepath.Dir(file)
		for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
			t.Run(filepath.Base(dir)+"/"+string(protocol), func(t *testing.T) { golden(t, dir, protocol) })
		}
	}
}

func golden(t *testing.T, dir string, protocol Protocol) {
	in := posthogintake.New(t)
	with := setup(goldenConfig(t, in, dir, protocol))
	var got string
	if raw, ok := readYAML(t, dir, "logs.yaml"); ok {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
		require.NoError(t, err)
		got = export(t, in, with.StartLogs(t), ld)
	}
	if raw, ok := readYAML(t, dir, "traces.yaml"); ok {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
		require.NoError(t, err)
		got = export(t, in, with.StartTraces(t), td)
	}
	file := filepath.Join(dir, "want."+string(protocol))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test with -update writes it")
	assert.Equal(t, string(want), got)
}

// export exports data, and returns the requests, the outcomes and the error.
func export[Data deliverytest.Signal](t *testing.T, in *posthogintake.Intake, e *deliverytest.Exporter[Data], data Data) string {
	err := e.Consume(t.Context(), data)
	e.Settle()
	got, outcomes := requests(in), e.Outcomes()
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		got += fmt.Sprintf("%s: %d\n", outcome, outcomes[outcome])
	}
	if err != nil {
		got += err.Error() + "\n"
	}
	return got
}

// goldenConfig returns the configuration of a case. The events are old, so historical_migration is
// never unless the case overrides it.
func goldenConfig(t *testing.T, in *posthogintake.Intake, dir string, protocol Protocol) *Config {
	cfg := testConfig(in)
	cfg.HistoricalMigration = HistoricalNever
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err == nil {
		var conf map[string]any
		require.NoError(t, yaml.Unmarshal(text, &conf))
		require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	}
	cfg.Protocol = protocol
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.MaxInFlight = 1
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	return cfg
}

func readYAML(t testing.TB, dir, name string) ([]byte, bool) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, false
	}
	var value any
	require.NoError(t, yaml.Unmarshal(text, &value))
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw, true
}

// requests returns the received requests without the parts that vary, with a line for each event.
func requests(in *posthogintake.Intake) string {
	varying := regexp.MustCompile(`"created_at":"[^"]*"`)
	var b strings.Builder
	for _, r := range in.Requests() {
		b.WriteString("POST " + r.URI + "\n")
		for _, name := range []string{"Authorization", "Content-Type", "PostHog-Attempt", "PostHog-Sdk-Info", "User-Agent"} {
			if value := r.Header.Get(name); value != "" {
				b.WriteString(name + ": " + value + "\n")
			}
		}
		body := strings.ReplaceAll(string(r.Body), `{"uuid":`, "\n"+`{"uuid":`)
		b.WriteString("\n" + varying.ReplaceAllString(body, `"created_at":"..."`) + "\n\n")
	}
	return b.String()
}
