// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden sends testdata/<case>/logs.yaml, OTLP JSON written as YAML, with the configuration in
// config.yaml, if any. It compares the requests and outcomes with want.http.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*/logs.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(inputs), 15)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := golden(t, dir)
			file := filepath.Join(dir, "want.http")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "go test with -update writes it")
			assert.Equal(t, string(want), got)
		})
	}
}

func golden(t *testing.T, dir string) string {
	in := moengageintake.New(t)
	cfg := testConfig(in)
	if text, err := os.ReadFile(filepath.Join(dir, "config.yaml")); err == nil {
		var conf map[string]any
		require.NoError(t, yaml.Unmarshal(text, &conf))
		require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	}
	in.ServeWorkspace(cfg.workspace())
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.MaxInFlight = 1
	e := setup(cfg).StartLogs(t)
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(readYAML(t, filepath.Join(dir, "logs.yaml")))
	require.NoError(t, err)
	if err := e.Consume(t.Context(), ld); err != nil {
		require.ErrorContains(t, err, "events refused", "only events without a form in MoEngage are refused")
	}
	e.Settle()

	var b strings.Builder
	for _, r := range in.Requests() {
		fmt.Fprintf(&b, "POST %s\n", r.URI)
		for _, name := range []string{"Content-Type", "Authorization", "MOE-APPKEY", "User-Agent"} {
			fmt.Fprintf(&b, "%s: %s\n", name, r.Header.Get(name))
		}
		fmt.Fprintf(&b, "\n%s\n\n", withoutNow(string(r.Body)))
	}
	outcomes := e.Outcomes()
	for _, outcome := range slices.Sorted(maps.Keys(outcomes)) {
		if outcome != "delivered" {
			fmt.Fprintf(&b, "%d %s\n", outcomes[outcome], outcome)
		}
	}
	corrected := e.Counts("otelcol_fanout_moengage_corrections_total", "reason")
	for _, reason := range slices.Sorted(maps.Keys(corrected)) {
		fmt.Fprintf(&b, "%d corrected: %s\n", corrected[reason], reason)
	}
	return b.String()
}

var currentTime = regexp.MustCompile(`"current_time":"([^"]*)"`)

// withoutNow replaces times of the last minute by NOW.
func withoutNow(body string) string {
	return currentTime.ReplaceAllStringFunc(body, func(member string) string {
		at, err := time.Parse(time.RFC3339Nano, currentTime.FindStringSubmatch(member)[1])
		if err == nil && time.Since(at) < time.Minute {
			return `"current_time":"NOW"`
		}
		return member
	})
}

func readYAML(t testing.TB, file string) []byte {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var value any
	require.NoError(t, yaml.Unmarshal(text, &value))
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}
