// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// explainingFactory is the factory of an extension that explains events.
type explainingFactory struct {
	extension.Factory
	explain func() inuse.Explain
}

// UseExplain implements inuse.Factory.
func (f *explainingFactory) UseExplain(of func() inuse.Explain) { f.explain = of }

// validate validates a configuration with an extension that explains events.
func validate(t *testing.T, config string) *explainingFactory {
	t.Helper()
	set := settings()
	user := &explainingFactory{Factory: extensiontest.NewNopFactory()}
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		all, err := factories()
		all.Extensions = map[component.Type]extension.Factory{user.Type(): user}
		return all, err
	}
	cmd := NewCommand(set, validConfig)
	cmd.SetArgs([]string{"validate", "--config", "yaml:" + config})
	require.NoError(t, cmd.Execute())
	require.NotNil(t, user.explain)
	return user
}

func TestExtensionExplainsEventsWithTheResolvedConfiguration(t *testing.T) {
	t.Setenv("NAME", "0123")
	user := validate(t, `
receivers: {nop: , nop/unused: }
exporters: {otlp_http: {endpoint: https://otlp.example.com, headers: {key: "${env:NAME}"}}}
service: {pipelines: {logs: {receivers: [nop], exporters: [otlp_http]}}}`)
	explainIt := user.explain()
	require.NotNil(t, explainIt)
	for range 2 {
		text, err := explainIt(t.Context(), inuse.Input{OTLP: []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order_placed"}]}]}]}`)})
		require.NoError(t, err)
		var result explain.Result
		require.NoError(t, json.Unmarshal(text, &result))
		assert.Equal(t, "order_placed", result.Events[0].Name)
		require.Len(t, result.Backends, 1)
		assert.Equal(t, 1, result.Backends[0].Delivered)
	}
	_, err := explainIt(t.Context(), inuse.Input{Event: []byte(`{}`)})
	assert.Equal(t, inuse.InputError("the configuration has no event receiver in a pipeline; write OTLP JSON as otlp (--otlp) instead of an event"), err)
}

func TestExtensionExplainsFewEventsAtATime(t *testing.T) {
	explainIt := validate(t, validConfig).explain()
	input := func(n int) inuse.Input {
		return inuse.Input{OTLP: []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}` + strings.Repeat(",{}", n-1) + `]}]}]}`)}
	}
	_, err := explainIt(t.Context(), input(maxExplainedEvents))
	require.NoError(t, err)
	_, err = explainIt(t.Context(), input(maxExplainedEvents+1))
	assert.Equal(t, inuse.InputError("the input has more than 1000 events; write fewer"), err)
}
