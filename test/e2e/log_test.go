// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logLine is a line of the log in its default format: time, level and message, then fields as JSON.
// Lines with a line of code do not match.
var logLine = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\t(\w+)\t([^\t\n]+)(?:\t(\{.*\}))?\n$`)

type logged struct{ time, level, message, fields string }

// linesOf returns the lines of a collector's log. Each must have the default format.
func linesOf(t *testing.T, c *collector) []logged {
	t.Helper()
	var lines []logged
	for line := range strings.Lines(c.stderr.String()) {
		match := logLine.FindStringSubmatch(line)
		require.NotNil(t, match, "a line of the log: %s", line)
		lines = append(lines, logged{match[1], match[2], match[3], match[4]})
	}
	return lines
}

func messages(lines []logged) []string {
	all := make([]string, len(lines))
	for i := range lines {
		all[i] = lines[i].message
	}
	return all
}

// TestStartIsLoggedInOrder starts config.yaml with a new queue on disk.
func TestStartIsLoggedInOrder(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	c := launchIn(t, []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL, "FANOUT_DATA_DIR=" + t.TempDir()},
		"--config", writeConfig(t, onFreePorts(t, string(shipped))), "--set", "service.telemetry.metrics.level=none")
	c.waitForLog(ready)
	lines := linesOf(t, c)
	assert.True(t, slices.IsSortedFunc(lines, func(a, b logged) int { return strings.Compare(a.time, b.time) }), "times: %v", lines)
	said := messages(lines)
	assert.Equal(t, "Disabled components were removed, and the pipelines that need them", said[0])
	assert.Contains(t, said[len(said)-1], ready)
	for _, line := range lines {
		assert.Equal(t, "info", line.level, line.message)
		assert.NotContains(t, line.message, "legacy")
		assert.NotContains(t, line.fields, `"config"`)
		assert.NotContains(t, line.fields, `"resource"`)
	}
	listening := slices.IndexFunc(lines, func(l logged) bool { return l.message == "Listening for events" })
	require.Positive(t, listening)
	assert.Regexp(t, `^\{"endpoint": "127\.0\.0\.1:\d+", "path": "/v1/events", "otelcol\.component\.id": "event"`, lines[listening].fields)
}

// TestOwnConfigurationLogsAsTheShippedOne loses an event for want of a backend, with and without
// settings of the log.
func TestOwnConfigurationLogsAsTheShippedOne(t *testing.T) {
	t.Parallel()
	nobody := fmt.Sprintf("http://127.0.0.1:%d/hook", freePort(t))
	configuration := configure("", webhook{"shop", nobody, "retry_on_failure: {enabled: false}"})
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{
			"by default", nil,
			`\d{3}Z\terror\tEvents were not delivered and are lost\t\{"reason": "exhausted", "what_to_do": "[^"]*", "events": 1, "otelcol\.component\.id": "webhook/shop"`,
		},
		{
			"with --set", []string{"--set", "service.telemetry.logs.disable_caller=false", "--set", "service.telemetry.logs.disable_zap_resource=false"},
			`\d{3}Z\terror\toutcome/loss\.go:\d+\tEvents were not delivered and are lost\t\{"reason": "exhausted", "what_to_do": "[^"]*", "events": 1, "resource": \{`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startWith(t, append([]string{"--config", writeConfig(t, configuration)}, tt.args...)...)
			newClient(t).mustAccept(t, c.eventURL(), jsonType, `{"name": "a"}`, 1)
			c.waitForLog("Events were not delivered and are lost")
			assert.Regexp(t, tt.want, c.stderr.String())
		})
	}
}

// TestFieldsThatAProcessorTurnedIntoTextAreReported has redaction turn a map of traits into text.
func TestFieldsThatAProcessorTurnedIntoTextAreReported(t *testing.T) {
	t.Parallel()
	b := newBackend(t, accepting)
	change := func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", "processors:\n  redaction: {allow_all_keys: true, redact_all_types: true, blocked_values: ['planted@example.com']}\nexporters:\n")
		return replace(t, configuration, "receivers: [otlp, event], ", "receivers: [otlp, event], processors: [redaction], ")
	}
	p := startInstrumentedWith(t, newDataFolders(t), change, []webhook{{"b", b.URL, "batching: array"}})
	p.post(`{"type": "identify", "user": {"id": "u1"}, "traits": {"email": "planted@example.com"}}`, `{"name": "order_placed", "user": {"id": "u1"}}`)
	p.settled("webhook/b", 2)
	assert.Equal(t, 1, p.counted("otelcol_fanout_malformed_fields_total", `exporter="webhook/b"`, `field="fanout.traits"`))
	assert.Regexp(t, `\twarn\tA field of events cannot be read, because its attribute has the wrong type\t\{"field": "fanout\.traits", "what_to_do": "send a map; [^"]*use the privacy processor`, p.stderr.String())
	assert.NotContains(t, p.stderr.String(), "planted@example.com")
}
