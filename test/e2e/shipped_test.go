// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const stabilityOfOurs = "Alpha"

func TestTheShippedConfigurationIsValid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		environment []string
	}{
		{"as it is", nil},
		{"with the webhook on", []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL}},
		{"with the webhook on, in arrays", []string{"WEBHOOK_ENABLED=yes", "WEBHOOK_URL=" + aURL, "WEBHOOK_BATCHING=array"}},
		{"with sentry on", []string{"SENTRY_ENABLED=true", "SENTRY_DSN=http://key@127.0.0.1:1/42"}},
		{"with posthog and moengage on", []string{
			"POSTHOG_ENABLED=true", "POSTHOG_API_KEY=phc_0123456789abcdefghij",
			"MOENGAGE_ENABLED=true", "MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k", "MOENGAGE_DATA_CENTER=2",
		}},
		{"with another OTLP backend on", []string{"OTLP_ENABLED=on", "OTLP_ENDPOINT=" + aURL, "OTLP_HEADERS={api-key: secret, x-team: shop}"}},
		{"with a data directory", []string{"WEBHOOK_ENABLED=1", "WEBHOOK_URL=" + aURL, "FANOUT_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}},
		{"with all off", []string{"DEBUG_ENABLED=false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			end := run(t, tt.environment, "validate", "--config", shippedConfig(t))
			assert.Zero(t, end.code)
			assert.Empty(t, end.stderr)
		})
	}
}

func TestTheShippedConfigurationWantsAURLForTheWebhook(t *testing.T) {
	t.Parallel()
	environment := []string{"WEBHOOK_ENABLED=true"}
	assertOneError(t, run(t, environment, "validate", "--config", shippedConfig(t)), "exporters::webhook", "endpoint", "missing")
	assertOneError(t, run(t, environment, "validate"), "exporters::webhook", "endpoint", "missing")
}

func TestTheBuiltInConfigurationIsTheShippedOne(t *testing.T) {
	t.Parallel()
	validated := run(t, nil, "validate")
	assert.Zero(t, validated.code)
	assert.Empty(t, validated.stderr)

	builtIn, shipped := run(t, nil, "print-config"), run(t, nil, "print-config", "--config", shippedConfig(t))
	assert.Zero(t, builtIn.code, builtIn.stderr)
	assert.Equal(t, shipped.stdout, builtIn.stdout)
	assert.Contains(t, builtIn.stdout, "localhost:4319")
}

func TestTheBinaryListsOurComponentsWithTheirStability(t *testing.T) {
	t.Parallel()
	end := run(t, nil, "components")
	require.Zero(t, end.code, end.stderr)

	type component struct {
		Name      string
		Stability map[string]string
	}
	var list struct{ Receivers, Exporters []component }
	require.NoError(t, yaml.Unmarshal([]byte(end.stdout), &list))
	stability := map[string]string{}
	for _, c := range list.Receivers {
		stability["receiver "+c.Name] = c.Stability["logs"]
	}
	for _, c := range list.Exporters {
		stability["exporter "+c.Name] = c.Stability["logs"]
	}
	assert.Equal(t, stabilityOfOurs, stability["receiver event"])
	assert.Equal(t, stabilityOfOurs, stability["exporter webhook"])
}

func TestTheExampleOfTheShippedConfigurationIsShownOnTheConsole(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	example := regexp.MustCompile(`curl -H 'content-type: application/json' -d '(\{.*\})' localhost:4319/v1/events`).FindSubmatch(shipped)
	require.NotNil(t, example, "config.yaml shows how to send an event with curl")

	c := startWith(t, "--config", writeConfig(t, onFreePorts(t, string(shipped))),
		"--config", "yaml:service::telemetry::metrics::level: none")
	newClient(t).mustAccept(t, c.eventURL(), jsonType, string(example[1]), 1)

	c.waitFor("order_placed on the console", func() bool { return strings.Contains(c.stdout.String(), "order_placed") })
	c.stop()
	var shown []string
	for line := range strings.Lines(c.stdout.String()) {
		if strings.Contains(line, "order_placed") {
			shown = append(shown, line)
		}
	}
	require.Len(t, shown, 1)
	assert.Contains(t, shown[0], "u1")
}

func shippedConfig(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "config.yaml"))
	require.NoError(t, err)
	return path
}

// onFreePorts has the kernel pick the ports of a configuration.
func onFreePorts(t *testing.T, configuration string) string {
	t.Helper()
	free := regexp.MustCompile(`(?m)endpoint: localhost:\d+$`).ReplaceAllString(configuration, "endpoint: localhost:0")
	require.Equal(t, 5, strings.Count(free, "localhost:0\n"), "ports in config.yaml")
	return free
}
