// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/nopreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/confmap/enabledconverter"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver"
)

// TestCollectorReportsWrongPipelines runs the checks in a collector, as the command validate does.
func TestCollectorReportsWrongPipelines(t *testing.T) {
	for _, tt := range []struct{ name, fanout, want string }{
		{"correct", `{routes: [{events: [a], pipelines: [logs/a]}], default_pipelines: [logs/b, traces/a]}`, ""},
		{"mistyped pipeline", `{routes: [{events: [a], pipelines: [logs/aa]}], default_pipelines: [logs/a, logs/b, traces/a]}`,
			"routes::0::pipelines: no pipeline logs/aa has this connector as a receiver; these do: logs/a, logs/b"},
		{"pipeline that the connector does not feed", `{default_pipelines: [logs/a, logs/b, logs/in, traces/a]}`,
			"default_pipelines: no pipeline logs/in has this connector as a receiver; these do: logs/a, logs/b"},
		{"pipeline without events", `{default_pipelines: [logs/a, logs/b]}`, "pipeline traces/a has this connector as a receiver, but is in no route"},
		{"route that is never reached", `{routes: [{events: ["a*"], pipelines: [logs/a]}, {events: [ab], pipelines: [logs/b]}], default_pipelines: [traces/a]}`,
			`connectors::fanout: routes::1::events: "ab" is never reached, since routes::0 has "a*"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := newCollector(t, `
receivers: {nop: }
exporters: {nop: }
connectors: {fanout: `+tt.fanout+`}
service:
  pipelines:
    logs/in: {receivers: [nop], exporters: [fanout]}
    logs/a: {receivers: [fanout], exporters: [nop]}
    logs/b: {receivers: [fanout], exporters: [nop]}
    traces/in: {receivers: [nop], exporters: [fanout]}
    traces/a: {receivers: [fanout], exporters: [nop]}`).DryRun(context.Background())
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// TestRoutesMayNamePipelinesOfDisabledBackends checks that one file serves every choice of
// backends, and that mistakes are found whatever is disabled.
func TestRoutesMayNamePipelinesOfDisabledBackends(t *testing.T) {
	const table = `{routes: [{events: [a], pipelines: [logs/a, traces/b]}], default_pipelines: [logs/a, logs/b, traces/b], sync: [logs/a]}`
	const notFed = " has this connector as a receiver; these do: "
	for _, tt := range []struct{ name, a, b, fanout, want string }{
		{"all enabled", "true", "true", table, ""},
		{"one of two disabled", "true", "false", table, ""},
		{"the other one, with a route and sync, disabled", "false", "true", table, ""},
		{"all disabled", "false", "", table, ""},
		{"mistyped pipeline, all enabled", "true", "true", `{default_pipelines: [logs/a, logs/b, logs/bb, traces/b]}`, "default_pipelines: no pipeline logs/bb" + notFed + "logs/a, logs/b"},
		{"mistyped pipeline, one disabled", "true", "false", `{default_pipelines: [logs/a, logs/b, logs/bb, traces/b]}`, "default_pipelines: no pipeline logs/bb" + notFed + "logs/a, logs/b"},
		{"mistyped pipeline, all disabled", "", "", `{default_pipelines: [logs/a, logs/b, traces/bb, traces/b]}`, "default_pipelines: no pipeline traces/bb" + notFed + "traces/b"},
		{"mistyped sync pipeline, all disabled", "", "", `{default_pipelines: [logs/a, logs/b, traces/b], sync: [logs/aa]}`, "sync: logs/aa is in no route"},
		{"pipeline without events, disabled", "true", "", `{default_pipelines: [logs/a, traces/b]}`, "pipeline logs/b has this connector as a receiver, but is in no route"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := newCollector(t, `
receivers: {nop: }
exporters: {nop/a: {enabled: "`+tt.a+`"}, nop/b: {enabled: "`+tt.b+`"}}
connectors: {fanout: `+tt.fanout+`}
service:
  pipelines:
    logs/in: {receivers: [nop], exporters: [fanout]}
    logs/a: {receivers: [fanout], exporters: [nop/a]}
    logs/b: {receivers: [fanout], exporters: [nop/b]}
    traces/in: {receivers: [nop], exporters: [fanout]}
    traces/b: {receivers: [fanout], exporters: [nop/b]}`).DryRun(context.Background())
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestReadmeExampleIsValid(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(readme), "```yaml\n")
	require.True(t, found)
	example, _, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	assert.NoError(t, newCollector(t, example).DryRun(context.Background()))
}

func newCollector(t *testing.T, config string) *otelcol.Collector {
	t.Helper()
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: func() (otelcol.Factories, error) {
			return otelcol.Factories{
				Receivers: map[component.Type]receiver.Factory{
					nopreceiver.NewFactory().Type():   nopreceiver.NewFactory(),
					eventreceiver.NewFactory().Type(): eventreceiver.NewFactory(),
				},
				Exporters: map[component.Type]exporter.Factory{
					nopexporter.NewFactory().Type():   nopexporter.NewFactory(),
					debugexporter.NewFactory().Type(): debugexporter.NewFactory(),
				},
				Connectors: map[component.Type]connector.Factory{NewFactory().Type(): NewFactory()},
				Telemetry:  otelconftelemetry.NewFactory(),
			}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"yaml:" + config},
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},

			ConverterFactories: []confmap.ConverterFactory{enabledconverter.NewFactory()},
		}},
		DisableGracefulShutdown: true,
		LoggingOptions:          []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return zapcore.NewNopCore() })},
	})
	require.NoError(t, err)
	return collector
}
