// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/basicauthextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/forwardconnector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/nopreceiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestCollectorAcceptsConvertedConfiguration has the collector itself build the pipelines.
func TestCollectorAcceptsConvertedConfiguration(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config string
	}{
		{"pipeline without exporters", `
receivers: {nop: }
exporters: {nop/a: {enabled: false}}
service: {pipelines: {logs: {receivers: [nop], exporters: [nop/a]}}}`},
		{"disabled connector", `
receivers: {nop: }
exporters: {nop/a: }
connectors: {forward: {enabled: false}}
service: {pipelines: {logs/a: {receivers: [nop], exporters: [forward]}, logs/b: {receivers: [forward], exporters: [nop/a]}}}`},
		{"chain of connectors without its first receiver", `
receivers: {nop: , nop/off: {enabled: false}}
exporters: {nop/a: }
connectors: {forward/1: , forward/2: }
service:
  pipelines:
    logs/1: {receivers: [nop/off], exporters: [forward/1]}
    logs/2: {receivers: [forward/1], exporters: [forward/2]}
    logs/3: {receivers: [forward/2, nop], exporters: [nop/a]}`},
		{"connector that is fed in one of two signals", `
receivers: {nop: , nop/off: {enabled: false}}
exporters: {nop/a: }
connectors: {forward: }
service:
  pipelines:
    logs/1: {receivers: [nop], exporters: [forward]}
    logs/2: {receivers: [forward], exporters: [nop/a]}
    traces/1: {receivers: [nop/off], exporters: [forward]}
    traces/2: {receivers: [forward], exporters: [nop/a]}`},
		{"disabled extension", `
receivers: {nop: }
exporters: {nop: }
extensions: {basicauth: {enabled: false}}
service: {extensions: [basicauth], pipelines: {logs: {receivers: [nop], exporters: [nop]}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.NoError(t, newCollector(t, tt.config).DryRun(context.Background()))
		})
	}
}

func TestCollectorRefusesDisabledAuthenticator(t *testing.T) {
	collector := newCollector(t, `
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0", auth: {authenticator: basicauth}}}}}
exporters: {nop: }
extensions: {basicauth: {enabled: false}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [basicauth]
  pipelines: {logs: {receivers: [otlp], exporters: [nop]}}`)
	assert.ErrorContains(t, collector.Run(context.Background()), `failed to resolve authenticator "basicauth"`)
}

func newCollector(t *testing.T, config string) *otelcol.Collector {
	t.Helper()
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: func() (otelcol.Factories, error) {
			return otelcol.Factories{
				Receivers: map[component.Type]receiver.Factory{
					nopreceiver.NewFactory().Type():  nopreceiver.NewFactory(),
					otlpreceiver.NewFactory().Type(): otlpreceiver.NewFactory(),
				},
				Exporters:  map[component.Type]exporter.Factory{nopexporter.NewFactory().Type(): nopexporter.NewFactory()},
				Connectors: map[component.Type]connector.Factory{forwardconnector.NewFactory().Type(): forwardconnector.NewFactory()},
				Extensions: map[component.Type]extension.Factory{basicauthextension.NewFactory().Type(): basicauthextension.NewFactory()},
				Telemetry:  otelconftelemetry.NewFactory(),
			}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:               []string{"yaml:" + config},
			ProviderFactories:  []confmap.ProviderFactory{yamlprovider.NewFactory()},
			ConverterFactories: []confmap.ConverterFactory{NewFactory()},
		}},
		DisableGracefulShutdown: true,
		LoggingOptions:          []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return zapcore.NewNopCore() })},
	})
	require.NoError(t, err)
	return collector
}
