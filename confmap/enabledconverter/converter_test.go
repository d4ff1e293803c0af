// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/featuregate"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "update the want.yaml files")

// TestGolden converts each testdata/*/input.yaml and compares it with the want.yaml beside it.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob(filepath.Join("testdata", "*", "input.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, inputs)

	for _, input := range inputs {
		t.Run(filepath.Base(filepath.Dir(input)), func(t *testing.T) {
			conf, err := resolve(t, confmap.ConverterSettings{}, "file:"+filepath.ToSlash(input))
			require.NoError(t, err)
			got, err := yaml.Marshal(conf.ToStringMap())
			require.NoError(t, err)

			golden := filepath.Join(filepath.Dir(input), "want.yaml")
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), string(got))

			once := xconfmap.ToStringMapRaw(conf)
			require.NoError(t, convert(conf))
			assert.Equal(t, once, xconfmap.ToStringMapRaw(conf), "a second conversion changes something")
		})
	}
}

func TestInvalidConfigurationIsRefusedUnchanged(t *testing.T) {
	const remedy = " is not a switch; write true or false (or 1/0, yes/no, on/off; empty is false)"
	for _, tt := range []struct {
		name   string
		config string
		want   string
	}{
		{
			"invalid switch",
			`exporters: {webhook/audit: {enabled: maybe}}`,
			`exporters::webhook/audit::enabled: "maybe"` + remedy,
		},
		{
			"several invalid switches",
			`
receivers: {otlp: {enabled: {http: true}}, kafka: {enabled: false}}
extensions: {pprof: {enabled: 1.5}}
exporters: {webhook/b: {enabled: 2}, webhook/a: {enabled: [true]}}
connectors: {forward: {enabled: "not\nnow"}}`,
			`connectors::forward::enabled: "not\nnow"` + remedy +
				`; exporters::webhook/a::enabled: a list` + remedy +
				`; exporters::webhook/b::enabled: 2` + remedy +
				`; extensions::pprof::enabled: a number with a decimal point` + remedy +
				`; receivers::otlp::enabled: a map` + remedy,
		},
		{
			"line break in an ID",
			`exporters: {"web\nhook": {enabled: maybe}}`,
			`exporters::"web\nhook"::enabled: "maybe"` + remedy,
		},
		{
			"two switches, and a list as text",
			`extensions: {file_storage: {enabled: true, enabled_if_set: x}, pprof: {enabled_if_set: [x]}}`,
			`extensions::file_storage::enabled_if_set: cannot be combined with enabled; write one of them` +
				`; extensions::pprof::enabled_if_set: is a list; write a text such as ${env:NAME}, which enables the component unless it is empty`,
		},
		{
			"no pipeline left",
			`
receivers: {otlp: {enabled: false}, kafka: {enabled: false}, unused: {enabled: false}}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp, kafka], exporters: [debug]}, traces: {receivers: [otlp], exporters: [debug]}}}`,
			`service::pipelines: all pipelines were removed because every receiver they use is disabled; enable one of receivers::kafka, receivers::otlp`,
		},
		{
			"chain of connectors without a receiver",
			`
receivers: {otlp: {enabled: false}}
exporters: {debug: }
connectors: {forward: }
service: {pipelines: {logs/a: {receivers: [otlp], exporters: [forward]}, logs/b: {receivers: [forward], exporters: [debug]}}}`,
			`service::pipelines: all pipelines were removed because every receiver they use is disabled; enable one of receivers::otlp`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := parse(t, tt.config)
			before := xconfmap.ToStringMapRaw(conf)
			assert.EqualError(t, convert(conf), tt.want)
			assert.Equal(t, before, xconfmap.ToStringMapRaw(conf), "the configuration changed")
		})
	}
}

func TestConfigurationWithoutSwitchesIsUnchanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config string
	}{
		{"empty", `{}`},
		{"processor", `processors: {batch: {enabled: false}}`},
		{"sections that are not maps", `{exporters: [webhook], receivers: 7, connectors: , extensions: enabled}`},
		{"components that are not maps", `exporters: {webhook: , debug: false, otlp: [enabled]}`},
		{"enabled at a deeper level", `exporters: {webhook: {retry_on_failure: {enabled: false}}}`},
		{"pipelines without receivers and exporters", `service: {pipelines: {logs: {receivers: [], exporters: []}, traces: }}`},
		{"pipelines as a list", `service: {pipelines: [logs]}`},
		{"service that is not a map", `service: pipelines`},
		{"connector with one end", `
connectors: {forward: }
service: {pipelines: {logs: {receivers: [forward], exporters: [nop]}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := parse(t, tt.config)
			before := xconfmap.ToStringMapRaw(conf)
			require.NoError(t, convert(conf))
			assert.Equal(t, before, xconfmap.ToStringMapRaw(conf))
		})
	}

	t.Run("nil", func(t *testing.T) {
		conf := confmap.NewFromStringMap(nil)
		require.NoError(t, convert(conf))
		assert.Nil(t, conf.ToStringMap())
	})
}

func TestConvertKeepsUnrelatedSettings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config string
		want   string
	}{
		{
			"enabled component without other keys",
			`exporters: {debug: {enabled: true}}`,
			`exporters: {debug: {}}`,
		},
		{
			"section whose last component is disabled",
			`extensions: {pprof: {enabled: false}}`,
			`extensions: {}`,
		},
		{
			"map whose only key was the store",
			`{extensions: {fs: {enabled: false}}, exporters: {otlp: {sending_queue: {storage: fs}}}}`,
			`{extensions: {}, exporters: {otlp: {sending_queue: {}}}}`,
		},
		{
			"references to a disabled authenticator",
			`
extensions: {basicauth: {enabled: false}, oidc: {enabled: false}}
receivers: {otlp: {auth: {authenticator: basicauth}}, events: {auth: oidc}}
service: {extensions: [oidc, basicauth]}`,
			`
extensions: {}
receivers: {otlp: {auth: {authenticator: basicauth}}, events: {auth: oidc}}
service: {extensions: []}`,
		},
		{
			"fanout connector without a feeding pipeline",
			`
receivers: {otlp: }
exporters: {webhook: {enabled: false}, debug: }
connectors: {fanout: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}, logs/b: {receivers: [fanout], exporters: [webhook]}}}`,
			`
receivers: {otlp: }
exporters: {debug: , nop: {}}
connectors: {fanout: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}, logs/b: {receivers: [fanout], exporters: [nop]}}}`,
		},
		{
			"store with the ID of a disabled exporter",
			`{exporters: {fs: {enabled: false}, otlp: {storage: fs}}, extensions: {fs: }}`,
			`{exporters: {otlp: {storage: fs}}, extensions: {fs: }}`,
		},
		{
			"receiver with the ID of a disabled exporter",
			`
receivers: {otlp: }
exporters: {otlp: {enabled: false}, debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [otlp, debug]}}}`,
			`
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}`,
		},
		{
			"space in an ID",
			`
receivers: {otlp: }
exporters: {webhook/a: {enabled: false}, debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [" webhook / a ", debug]}}}`,
			`
receivers: {otlp: }
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}`,
		},
		{
			"exporters that are not a map get no nop",
			`
receivers: {otlp: }
exporters: broken
connectors: {forward: {enabled: false}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [forward]}}}`,
			`
receivers: {otlp: }
exporters: broken
connectors: {}
service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}`,
		},
		{
			"disabled nop exporter that a pipeline needs",
			`
receivers: {otlp: }
exporters: {nop: {enabled: false}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}`,
			`
receivers: {otlp: }
exporters: {nop: {}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}`,
		},
		{
			"list items that are not text",
			`
receivers: {otlp: }
exporters: {webhook: {enabled: false}, "": {enabled: false}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [webhook, 7, null, {a: b}]}}}`,
			`
receivers: {otlp: }
exporters: {}
service: {pipelines: {logs: {receivers: [otlp], exporters: [7, null, {a: b}]}}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := parse(t, tt.config)
			require.NoError(t, convert(conf))
			assert.Equal(t, parse(t, tt.want).ToStringMap(), conf.ToStringMap())
		})
	}
}

// TestKeyDelimiterInIDRemovesNothingElse uses IDs that contain "::", which the collector reads as a
// component and one of its keys.
func TestKeyDelimiterInIDRemovesNothingElse(t *testing.T) {
	t.Run("in a file", func(t *testing.T) {
		conf, err := resolve(t, confmap.ConverterSettings{}, `yaml:exporters: {webhook: {b: {url: x}}, "webhook::c": {enabled: false}}`)
		require.NoError(t, err)
		assert.Equal(t, parse(t, `exporters: {webhook: {b: {url: x}, c: {enabled: false}}}`).ToStringMap(), conf.ToStringMap())
	})

	t.Run("in a section from a provider", func(t *testing.T) {
		t.Setenv("EXPORTERS", `{webhook/a: {b: {url: x}}, "webhook/a::b": {enabled: false}}`)
		conf, err := resolve(t, confmap.ConverterSettings{}, "yaml:exporters: ${env:EXPORTERS}")
		require.NoError(t, err)
		assert.Equal(t, parse(t, `exporters: {webhook/a: {b: {url: x}}}`).ToStringMap(), conf.ToStringMap())
	})

	t.Run("from another converter", func(t *testing.T) {
		conf := confmap.NewFromStringMap(map[string]any{"exporters": map[string]any{
			"webhook/a":    map[string]any{"enabled": true, "url": "x"},
			"webhook/a::b": map[string]any{"enabled": false},
		}})
		require.NoError(t, convert(conf))
		assert.Equal(t, parse(t, `exporters: {webhook/a: {url: x, b: {enabled: false}}}`).ToStringMap(), conf.ToStringMap())
	})
}

func TestConvertKeepsTextOfEnvironmentVariables(t *testing.T) {
	t.Setenv("CODE", "0123")
	const config = `
exporters:
  webhook: {enabled: "${env:X:-true}", code: "${env:CODE}", routes: [{code: "${env:CODE}", storage: fs}]}
  webhook/off: {enabled: "${env:X:-false}", code: "${env:CODE}"}
extensions: {fs: {enabled: "${env:X}"}}
`
	section := strings.TrimPrefix(strings.SplitN(config, "extensions", 2)[0], "\nexporters:\n")

	for _, tt := range []struct {
		name string
		uri  string
	}{
		{"in a file", "yaml:" + config},
		{"in a section from a provider", "yaml:{exporters: '${env:EXPORTERS}', extensions: {fs: {enabled: false}}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("EXPORTERS", section)
			conf, err := resolve(t, confmap.ConverterSettings{}, tt.uri)
			require.NoError(t, err)

			var got struct {
				Exporters map[string]struct {
					Code   string              `mapstructure:"code"`
					Routes []map[string]string `mapstructure:"routes"`
				} `mapstructure:"exporters"`
				Extensions map[string]any `mapstructure:"extensions"`
			}
			require.NoError(t, conf.Unmarshal(&got))
			require.Len(t, got.Exporters, 1)
			assert.Equal(t, "0123", got.Exporters["webhook"].Code)
			assert.Equal(t, []map[string]string{{"code": "0123"}}, got.Exporters["webhook"].Routes)
			assert.Empty(t, got.Extensions)
		})
	}
}

// TestConvertWorksWithMergeAppendGate enables the feature gate with which Merge appends to lists.
func TestConvertWorksWithMergeAppendGate(t *testing.T) {
	const gate = "confmap.enableMergeAppendOption"
	require.NoError(t, featuregate.GlobalRegistry().Set(gate, true))
	defer func() { require.NoError(t, featuregate.GlobalRegistry().Set(gate, false)) }()
	t.Setenv("CODE", "0123")

	conf, err := resolve(t, confmap.ConverterSettings{}, `yaml:
receivers: {otlp: , kafka: {enabled: false}}
exporters: {webhook: {enabled: false}, debug: {code: "${env:CODE}"}}
extensions: {pprof: {enabled: false}, zpages: }
service:
  extensions: [pprof, zpages]
  pipelines: {logs: {receivers: [kafka, otlp], exporters: [webhook, debug]}}`)
	require.NoError(t, err)
	assert.Equal(t, parse(t, `
receivers: {otlp: }
exporters: {debug: {code: 83}}
extensions: {zpages: }
service:
  extensions: [zpages]
  pipelines: {logs: {receivers: [otlp], exporters: [debug]}}`).ToStringMap(), conf.ToStringMap())

	debug, err := conf.Sub("exporters::debug")
	require.NoError(t, err)
	var got struct {
		Code string `mapstructure:"code"`
	}
	require.NoError(t, debug.Unmarshal(&got))
	assert.Equal(t, "0123", got.Code)
}

func TestConvertAcceptsListsOfOtherConverters(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"exporters": map[string]any{"webhook": map[string]any{"enabled": false}, "debug": nil},
		"service": map[string]any{"pipelines": map[string]any{"logs": map[string]any{
			"receivers": []string{"otlp"},
			"exporters": []string{"webhook", "debug"},
		}}},
	})
	require.NoError(t, convert(conf))
	assert.Equal(t, []string{"otlp"}, conf.Get("service::pipelines::logs::receivers"))
	assert.Equal(t, []any{"debug"}, conf.Get("service::pipelines::logs::exporters"))
}

func TestConvertLogsWhatItRemoved(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	_, err := resolve(t, confmap.ConverterSettings{Logger: zap.New(core, zap.AddCaller())}, `yaml:
receivers: {otlp: , kafka: {enabled: false}}
exporters: {webhook/audit: {enabled: false}, debug: {enabled: true}, nop: }
service:
  pipelines:
    logs: {receivers: [otlp], exporters: [webhook/audit]}
    logs/nop: {receivers: [otlp], exporters: [webhook/audit, nop]}
    logs/replay: {receivers: [kafka], exporters: [webhook/audit]}
    traces: {receivers: [otlp], exporters: [webhook/audit, debug]}
    metrics: {receivers: [otlp], exporters: [nop]}`)
	require.NoError(t, err)

	type line struct {
		level   zapcore.Level
		message string
		fields  map[string]any
	}
	var got []line
	for _, entry := range logs.All() {
		assert.False(t, entry.Caller.Defined, "the line of code is not logged")
		got = append(got, line{entry.Level, entry.Message, entry.ContextMap()})
	}
	assert.Equal(t, []line{
		{
			zap.InfoLevel, "Disabled components were removed, and the pipelines that need them",
			map[string]any{"components": []any{"exporters::webhook/audit", "receivers::kafka"}, "pipelines": []any{"logs/replay"}},
		},
		{
			zap.InfoLevel, "Pipelines without an enabled exporter discard their events",
			map[string]any{"pipelines": []any{"logs", "logs/nop"}},
		},
	}, got)
}

// resolve runs the converter the way the collector does.
func resolve(t *testing.T, set confmap.ConverterSettings, uri string) (*confmap.Conf, error) {
	t.Helper()
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: []string{uri},
		ProviderFactories: []confmap.ProviderFactory{
			envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
		},
		DefaultScheme:      "env",
		ConverterFactories: []confmap.ConverterFactory{NewFactory()},
		ConverterSettings:  set,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, resolver.Shutdown(context.Background())) })
	return resolver.Resolve(context.Background())
}

func convert(conf *confmap.Conf) error {
	return NewFactory().Create(confmap.ConverterSettings{}).Convert(context.Background(), conf)
}

func parse(t *testing.T, text string) *confmap.Conf {
	t.Helper()
	var config map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &config))
	return confmap.NewFromStringMap(config)
}
