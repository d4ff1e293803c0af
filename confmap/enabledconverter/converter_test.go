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

var update = flag.Bool("update", false, "write the want.yaml files anew")

// Every folder of testdata with an input.yaml is a rule; its want.yaml is what the collector gets to see.
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

func TestConvertRefuses(t *testing.T) {
	const remedy = " is not a switch; write true or false (also taken: 1/0, yes/no, on/off; empty is false)"
	for _, tt := range []struct {
		name   string
		config string
		want   string
	}{
		{
			"a value that is no switch, naming the component",
			`exporters: {webhook/audit: {enabled: maybe}}`,
			`exporters::webhook/audit::enabled: "maybe"` + remedy,
		},
		{
			"all such values in one line, sorted, and no switch is taken meanwhile",
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
			"an id with a line break, still in one line",
			`exporters: {"web\nhook": {enabled: maybe}}`,
			`exporters::"web\nhook"::enabled: "maybe"` + remedy,
		},
		{
			"two switches, and a text that is none",
			`extensions: {file_storage: {enabled: true, enabled_if_set: x}, pprof: {enabled_if_set: [x]}}`,
			`extensions::file_storage::enabled_if_set: stands beside enabled; write one of them` +
				`; extensions::pprof::enabled_if_set: is a list; write a text, such as ${env:NAME}, whose being there switches the component on`,
		},
		{
			"a configuration without a pipeline left, naming the switches",
			`
receivers: {otlp: {enabled: false}, kafka: {enabled: false}, unused: {enabled: false}}
exporters: {debug: }
service: {pipelines: {logs: {receivers: [otlp, kafka], exporters: [debug]}, traces: {receivers: [otlp], exporters: [debug]}}}`,
			`service::pipelines: all pipelines were removed because every receiver they use is disabled; enable one of receivers::kafka, receivers::otlp`,
		},
		{
			"a chain of connectors without a feeder left",
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

func TestConvertLeavesAloneWhatHasNoSwitch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config string
	}{
		{"an empty configuration", `{}`},
		{"a processor", `processors: {batch: {enabled: false}}`},
		{"a section that is no map", `{exporters: [webhook], receivers: 7, connectors: , extensions: enabled}`},
		{"a component that is no map", `exporters: {webhook: , debug: false, otlp: [enabled]}`},
		{"a key named enabled further down", `exporters: {webhook: {retry_on_failure: {enabled: false}}}`},
		{"pipelines without receivers and exporters", `service: {pipelines: {logs: {receivers: [], exporters: []}, traces: }}`},
		{"pipelines that are no maps", `service: {pipelines: [logs]}`},
		{"a service that is no map", `service: pipelines`},
		{"a connector with one end", `
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

	t.Run("a nil configuration", func(t *testing.T) {
		conf := confmap.NewFromStringMap(nil)
		require.NoError(t, convert(conf))
		assert.Nil(t, conf.ToStringMap())
	})
}

func TestConvertKeepsTheRest(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config string
		want   string
	}{
		{
			"a component that is on and has no other key is still configured",
			`exporters: {debug: {enabled: true}}`,
			`exporters: {debug: {}}`,
		},
		{
			"a section stays when its last component goes",
			`extensions: {pprof: {enabled: false}}`,
			`extensions: {}`,
		},
		{
			"a map stays when the store was its only key",
			`{extensions: {fs: {enabled: false}}, exporters: {otlp: {sending_queue: {storage: fs}}}}`,
			`{extensions: {}, exporters: {otlp: {sending_queue: {}}}}`,
		},
		{
			"an authenticator that is off stays mentioned, so that no listener opens without it",
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
			"a fanout connector that nothing feeds stays, for the collector to report",
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
			"a store of the same name as a disabled exporter is another thing",
			`{exporters: {fs: {enabled: false}, otlp: {storage: fs}}, extensions: {fs: }}`,
			`{exporters: {otlp: {storage: fs}}, extensions: {fs: }}`,
		},
		{
			"an exporter that is off stays a receiver of the same name",
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
			"space in an id does not hide a mention, as it does not from the collector",
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
			"exporters that are no map get no nop",
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
			"a nop exporter that is off is put back when a pipeline needs it",
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
			"list elements that are not text stay for the collector to report",
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

// The collector splits keys at "::" wherever they are, so an id that contains it is a component and a key of it.
func TestAnIDWithTheKeyDelimiterDeletesNothingElse(t *testing.T) {
	t.Run("in the file itself the rest of the id is a key", func(t *testing.T) {
		conf, err := resolve(t, confmap.ConverterSettings{}, `yaml:exporters: {webhook: {b: {url: x}}, "webhook::c": {enabled: false}}`)
		require.NoError(t, err)
		assert.Equal(t, parse(t, `exporters: {webhook: {b: {url: x}, c: {enabled: false}}}`).ToStringMap(), conf.ToStringMap())
	})

	t.Run("in a section from a provider it is part of the id", func(t *testing.T) {
		t.Setenv("EXPORTERS", `{webhook/a: {b: {url: x}}, "webhook/a::b": {enabled: false}}`)
		conf, err := resolve(t, confmap.ConverterSettings{}, "yaml:exporters: ${env:EXPORTERS}")
		require.NoError(t, err)
		assert.Equal(t, parse(t, `exporters: {webhook/a: {b: {url: x}}}`).ToStringMap(), conf.ToStringMap())
	})

	t.Run("put there by another converter it is read as the collector will read it", func(t *testing.T) {
		conf := confmap.NewFromStringMap(map[string]any{"exporters": map[string]any{
			"webhook/a":    map[string]any{"enabled": true, "url": "x"},
			"webhook/a::b": map[string]any{"enabled": false},
		}})
		require.NoError(t, convert(conf))
		assert.Equal(t, parse(t, `exporters: {webhook/a: {url: x, b: {enabled: false}}}`).ToStringMap(), conf.ToStringMap())
	})
}

func TestConvertKeepsTheTextOfEnvironmentVariables(t *testing.T) {
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
		{"written in the file", "yaml:" + config},
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

// With the gate on, Merge appends to lists: a list that is not deleted first keeps the mention.
func TestConvertWithTheGateThatAppendsLists(t *testing.T) {
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

func TestConvertTakesListsOfAnotherConverter(t *testing.T) {
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

func TestConvertLogsWhatItDropped(t *testing.T) {
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
		assert.False(t, entry.Caller.Defined, "where it is logged")
		got = append(got, line{entry.Level, entry.Message, entry.ContextMap()})
	}
	assert.Equal(t, []line{
		{
			zap.InfoLevel, "Some components are off, and so are the pipelines that need them",
			map[string]any{"components": []any{"exporters::webhook/audit", "receivers::kafka"}, "pipelines": []any{"logs/replay"}},
		},
		{
			zap.InfoLevel, "Some pipelines have only the nop exporter left, so their events are discarded",
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
