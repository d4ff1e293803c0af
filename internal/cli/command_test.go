// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

const validConfig = `
receivers: {nop: }
exporters: {nop: }
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [nop], exporters: [nop]}}
`

func settings() otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "example", Version: "1.2.3"},
		Factories: func() (otelcol.Factories, error) {
			nopReceiver, nopExporter := receivertest.NewNopFactory(), exportertest.NewNopFactory()
			otlpExporter, nopExtension := otlphttpexporter.NewFactory(), extensiontest.NewNopFactory()
			return otelcol.Factories{
				Receivers:  map[component.Type]receiver.Factory{nopReceiver.Type(): nopReceiver},
				Exporters:  map[component.Type]exporter.Factory{nopExporter.Type(): nopExporter, otlpExporter.Type(): otlpExporter},
				Extensions: map[component.Type]extension.Factory{nopExtension.Type(): nopExtension},
				Telemetry:  otelconftelemetry.NewFactory(),
			}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory(), envprovider.NewFactory()},
		}},
	}
}

// execute runs a command line and returns its error and what it printed.
func execute(defaultConfig string, args ...string) (printed string, err error) {
	cmd := NewCommand(settings(), defaultConfig)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err = cmd.Execute()
	return out.String(), err
}

func TestBuiltInConfigurationIsTheDefault(t *testing.T) {
	_, err := execute(validConfig, "validate")
	require.NoError(t, err)
	_, err = execute("service: 5", "validate")
	require.Error(t, err)
	_, err = execute("service: 5", "validate", "--config", "yaml:"+validConfig)
	require.NoError(t, err, "--config replaces it")
}

func TestFileWithoutFlagIsRefused(t *testing.T) {
	const want = `unexpected argument "my.yaml"; write --config before the name of a file`
	_, err := execute(validConfig, "validate", "my.yaml")
	require.EqualError(t, err, want)
	_, err = execute(validConfig, "my.yaml")
	require.EqualError(t, err, want)
	_, err = execute(validConfig, "valdate")
	require.EqualError(t, err, `unknown command "valdate"; did you mean "validate"? --help lists all`)
}

func TestUseOfBuiltInConfigurationIsReported(t *testing.T) {
	const note = "No --config given"
	out, _ := execute("service: 5")
	assert.Contains(t, out, note)
	out, _ = execute(validConfig, "--config", "yaml:service: 5")
	assert.NotContains(t, out, note)
	_, err := execute(validConfig, "validate", "--set", "service.telemetry.logs.level=debug")
	require.NoError(t, err, "--set changes the built-in configuration")
}

func TestEarlySignalIsRepeated(t *testing.T) {
	signals := repeatSignals()
	defer signals.stop()
	assert.False(t, signals.isStopping())
	sendToSelf(syscall.SIGTERM) // without repeatSignals this would kill the test binary

	late := make(chan os.Signal, 1)
	signal.Notify(late, syscall.SIGTERM)
	defer signal.Stop(late)
	select {
	case <-late:
		assert.Eventually(t, signals.isStopping, time.Minute, time.Millisecond)
	case <-time.After(time.Minute):
		t.Fatal("the signal was not repeated")
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	for name, tt := range map[string]struct{ config, want string }{
		"an unknown key": {
			config: "receivers: {nop: {a: 1}}\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}",
			want:   `invalid configuration: receivers::nop: unknown key "a"; this block has no keys`,
		},
		"an unknown type": {
			config: "receivers: {evnt/x: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [evnt/x], exporters: [nop]}}}",
			want:   `invalid configuration: receivers::evnt/x: this binary has no component of type "evnt" (valid values: [nop])`,
		},
		"an unknown key inside another": {
			config: "receivers: {nop: }\nexporters: {nop: }\nservice: {telemetry: {logs: {levl: info}}, pipelines: {logs: {receivers: [nop], exporters: [nop]}}}",
			want:   "invalid configuration: service.telemetry.logs: unknown key: levl",
		},
		"an exporter that is not configured": {
			config: "receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nope]}}}",
			want:   `invalid configuration: service::pipelines::logs::exporters::0: "nope" is not configured; did you mean "nop"?`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := execute(tt.config, "validate")
			require.EqualError(t, err, tt.want)
			assert.Equal(t, "Error: "+tt.want+"\n", out)
		})
	}
}

func TestMistakesInCoreComponentsSayWhatToWrite(t *testing.T) {
	t.Setenv("BIG", "18446744073709551615")
	t.Setenv("PHONE", "0049123")
	t.Setenv("PAIR", "a=b")
	const otlp = "invalid configuration: exporters::otlp_http"
	for name, tt := range map[string]struct {
		otlp string // the keys of otlp_http
		want string // the error; none where empty
	}{
		"valid":                            {"endpoint: http://localhost:4318, headers: {a: b}", ""},
		"headers as a list":                {"endpoint: http://localhost:4318, headers: [{name: a, value: b}]", ""},
		"headers as text":                  {"endpoint: http://localhost:4318, headers: a=b", otlp + "::headers: is text; write a map, such as {a: b}"},
		"headers from a variable":          {"endpoint: http://localhost:4318, headers: '${env:PAIR}'", otlp + "::headers: is text; write a map, such as {a: b}"},
		"a header that is a number":        {"endpoint: http://localhost:4318, headers: {api-key: 123}", otlp + "::headers::api-key: is a number; write it in quotes"},
		"a header that is a bool":          {"endpoint: http://localhost:4318, headers: {api-key: true}", otlp + "::headers::api-key: is true or false; write it in quotes"},
		"a header that is a map":           {"endpoint: http://localhost:4318, headers: {api-key: {a: b}}", otlp + "::headers::api-key: is a map; write text"},
		"a header from a variable":         {"endpoint: http://localhost:4318, headers: {api-key: '${env:PHONE}'}", ""},
		"a variable with a large number":   {"endpoint: http://localhost:4318, headers: {api-key: '${env:BIG}'}", `invalid configuration: ${env:BIG}: YAML does not read the environment variable BIG as text; put quotes inside it: BIG='"..."'`},
		"text for a number":                {"endpoint: http://localhost:4318, sending_queue: {queue_size: many}", otlp + "::sending_queue::queue_size: is text; write a number, without quotes"},
		"text for a bool":                  {"endpoint: http://localhost:4318, tls: {insecure: 'yes'}", otlp + ": tls.insecure: is text; write true or false, without quotes"},
		"a number for a section":           {"endpoint: http://localhost:4318, tls: 5", otlp + "::tls: is a number; write a map, such as {a: b}"},
		"text for a list":                  {"endpoint: http://localhost:4318, middlewares: a", otlp + "::middlewares: is text; write a list, such as [a, b]"},
		"a list for text":                  {"endpoint: http://localhost:4318, proxy_url: [a]", otlp + "::proxy_url: is a list; write text"},
		"an invalid duration":              {"endpoint: http://localhost:4318, timeout: soon", otlp + "::timeout: is not a duration; write one such as 30s, 5m or 1h"},
		"two mistakes":                     {"endpoint: http://localhost:4318, timeout: soon, tls: 5", otlp + "::tls: is a number; write a map, such as {a: b}; timeout: is not a duration; write one such as 30s, 5m or 1h"},
		"an endpoint without a scheme":     {"endpoint: localhost:4318", otlp + ": endpoint: localhost:4318 has no scheme; write http://localhost:4318 or https://localhost:4318"},
		"an endpoint for logs without one": {"logs_endpoint: otlp.example.com/v1/logs", otlp + ": logs_endpoint: has no scheme; write a URL that begins with https:// or http://, such as https://otlp.example.com"},
		"an endpoint that is a number":     {"endpoint: 4318", otlp + ": endpoint: has no scheme; write a URL that begins with https:// or http://, such as https://otlp.example.com"},
		"an endpoint that is empty":        {"endpoint: ''", otlp + ": endpoint: is missing; write the URL of the backend, such as https://otlp.example.com"},
		"a storage that is not configured": {"endpoint: http://localhost:4318, sending_queue: {storage: nop/x}", otlp + `: sending_queue::storage: there is no extension "nop/x", or it is off; configure it and add it to service::extensions`},
		"a storage that is not started":    {"endpoint: http://localhost:4318, sending_queue: {storage: nop/idle}", otlp + `: sending_queue::storage: the extension "nop/idle" is not started; add it to service::extensions`},
		"a storage of a disabled queue":    {"endpoint: http://localhost:4318, sending_queue: {enabled: false, storage: nop/x}", ""},
		"an authenticator that is started": {"endpoint: http://localhost:4318, auth: {authenticator: nop}", ""},
		"an authenticator not started":     {"endpoint: http://localhost:4318, auth: {authenticator: nop/idle}", otlp + `: auth::authenticator: the extension "nop/idle" is not started; add it to service::extensions`},
		"a component in no pipeline":       {"endpoint: http://localhost:4318}, otlp_http/unused: {endpoint: http://localhost:4318, auth: {authenticator: nop/x}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := execute("receivers: {nop: }\nextensions: {nop: , nop/idle: }\nexporters: {otlp_http: {"+tt.otlp+"}}\n"+
				"service: {telemetry: {metrics: {level: none}}, extensions: [nop], pipelines: {logs: {receivers: [nop], exporters: [otlp_http]}}}", "validate")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tt.want)
		})
	}
}

func TestOnlyComponentsInUseAreChecked(t *testing.T) {
	s := newService(map[string]any{"service": map[string]any{
		"extensions": []any{"e"},
		"pipelines":  map[string]any{"logs": map[string]any{"receivers": []any{"a", "c"}, "processors": []any{"p"}, "exporters": []any{"b"}}},
	}})
	used := map[string][]string{}
	for section, ids := range s.uses {
		for id := range ids {
			used[section] = append(used[section], id.String())
		}
		slices.Sort(used[section])
	}
	assert.Equal(t, map[string][]string{
		"extensions": {"e"}, "receivers": {"a", "c"}, "processors": {"p"}, "exporters": {"b"}, "connectors": {"b"},
	}, used, "a receiver and an exporter may have the same id")
}

func TestErrorsDoNotRepeatValues(t *testing.T) {
	_, err := execute("receivers: [a]\nexporters: {nop: hunter2}\nservice: {extensions: hunter2, pipelines: {logs: {receivers: hunter2, exporters: 2026-01-01}}}", "validate")
	require.EqualError(t, err, "invalid configuration: receivers: is a list; write a map, such as {a: b}; exporters::nop: is text; write a map, such as {a: b}; "+
		"service.extensions: is text; write a list, such as [a, b]; service.pipelines[logs].receivers: is text; write a list, such as [a, b]; "+
		"service.pipelines[logs].exporters: is a date; write a list, such as [a, b]")
}

func TestOneLineKeepsTheCause(t *testing.T) {
	require.NoError(t, (&sources{}).oneLine(nil))
	cause := errors.New("first\n\n  second \n'x' error reading configuration for \"a/b\": '' unknown key")
	err := (&sources{}).oneLine(cause)
	require.EqualError(t, err, "first; second; x::a/b: unknown key")
	require.ErrorIs(t, err, cause)
	require.EqualError(t, (&sources{}).oneLine(errors.New("listen tcp 127.0.0.1:8888: bind: address already in use")),
		"listen tcp 127.0.0.1:8888: bind: address already in use; is another collector running?")
}

func FuzzOneLine(f *testing.F) {
	f.Add("failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'a' has invalid keys: b")
	f.Fuzz(func(t *testing.T, text string) {
		if got := (&sources{}).oneLine(errors.New(text)).Error(); strings.Contains(got, "\n") {
			t.Fatalf("%q is more than one line", got)
		}
	})
}
