// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"os"
	"os/signal"
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
			return otelcol.Factories{
				Receivers: map[component.Type]receiver.Factory{nopReceiver.Type(): nopReceiver},
				Exporters: map[component.Type]exporter.Factory{nopExporter.Type(): nopExporter},
				Telemetry: otelconftelemetry.NewFactory(),
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

func TestTheBuiltInConfigurationIsTheDefault(t *testing.T) {
	_, err := execute(validConfig, "validate")
	require.NoError(t, err)
	_, err = execute("service: 5", "validate")
	require.Error(t, err)
	_, err = execute("service: 5", "validate", "--config", "yaml:"+validConfig)
	require.NoError(t, err, "--config takes its place")
}

func TestTheOperatorIsToldOfTheBuiltInConfiguration(t *testing.T) {
	const note = "No --config given"
	out, _ := execute("service: 5")
	assert.Contains(t, out, note)
	out, _ = execute(validConfig, "--config", "yaml:service: 5")
	assert.NotContains(t, out, note)
	_, err := execute(validConfig, "validate", "--set", "service.telemetry.logs.level=debug")
	require.NoError(t, err, "--set changes the built-in configuration")
}

func TestASignalIsRepeatedUntilItIsHeard(t *testing.T) {
	done := repeatSignals()
	defer done()
	sendToSelf(syscall.SIGTERM) // nobody else listens; without repeatSignals the test binary would end here

	late := make(chan os.Signal, 1)
	signal.Notify(late, syscall.SIGTERM)
	defer signal.Stop(late)
	select {
	case <-late:
	case <-time.After(10 * time.Second):
		t.Fatal("the signal was not repeated")
	}
}

func TestErrorsTakeOneLine(t *testing.T) {
	for name, tt := range map[string]struct{ config, want string }{
		"an unknown key": {
			config: "receivers: {nop: {a: 1}}\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nop]}}}",
			want:   "invalid configuration: receivers::nop: unknown key: a",
		},
		"an unknown type": {
			config: "receivers: {nop: }\nexporters: {sentri/x: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [sentri/x]}}}",
			want:   `invalid configuration: exporters::sentri/x: there is no component of type "sentri" in this binary (valid values: [nop])`,
		},
		"an unknown key inside another": {
			config: "receivers: {nop: }\nexporters: {nop: }\nservice: {telemetry: {logs: {levl: info}}, pipelines: {logs: {receivers: [nop], exporters: [nop]}}}",
			want:   "invalid configuration: service.telemetry.logs: unknown key: levl",
		},
		"a mention of what is not there": {
			config: "receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {logs: {receivers: [nop], exporters: [nope]}}}",
			want:   `service::pipelines::logs: references exporter "nope" which is not configured`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := execute(tt.config, "validate")
			require.EqualError(t, err, tt.want)
			assert.Equal(t, "Error: "+tt.want+"\n", out)
		})
	}
}

func TestOneLine(t *testing.T) {
	require.NoError(t, OneLine(nil))
	cause := errors.New("first\n\n  second \n'x' error reading configuration for \"a/b\": '' unknown key")
	err := OneLine(cause)
	require.EqualError(t, err, "first; second; x::a/b: unknown key")
	assert.ErrorIs(t, err, cause)
}

func FuzzOneLine(f *testing.F) {
	f.Add("failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):\n\n'a' has invalid keys: b")
	f.Fuzz(func(t *testing.T, text string) {
		if got := OneLine(errors.New(text)).Error(); strings.Contains(got, "\n") {
			t.Fatalf("%q is more than a line", got)
		}
	})
}
