// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// statusConfig is the configuration of an extension of the type status.
type statusConfig struct {
	Code        string                            `mapstructure:"code"`
	SwitchedOff map[string]statusfeed.SwitchedOff `mapstructure:"switched_off"`
}

func (cfg *statusConfig) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// switchOff removes the exporter nop/off and lists it in the status extension, as the enabled converter
// does.
type switchOff struct{}

func (switchOff) Convert(_ context.Context, conf *confmap.Conf) error {
	key := "enabled"
	exporters := conf.ToStringMap()["exporters"].(map[string]any)
	if _, ok := exporters["nop/off"].(map[string]any)["enabled_if_set"]; ok {
		key = "enabled_if_set"
	}
	for _, edit := range []confedit.Edit{
		{Path: []string{"exporters", "nop/off"}, Remove: true},
		{Path: []string{"service", "pipelines", "logs", "exporters"}, Value: []any{"nop"}},
		{Path: []string{"extensions", "status", statusfeed.SwitchedOffKey}, Value: map[string]any{
			"exporters/nop/off": map[string]any{"switch": "exporters::nop/off::" + key, "pipelines": []any{"logs"}},
		}},
	} {
		if err := edit.Apply(conf); err != nil {
			return err
		}
	}
	return nil
}

// readStatus returns the configuration of the extension status, as the command reads it from the
// locations.
func readStatus(t *testing.T, locations ...string) statusConfig {
	t.Helper()
	statusFactory := extension.NewFactory(component.MustNewType("status"), func() component.Config { return &statusConfig{} },
		nil, component.StabilityLevelAlpha)
	set := settings()
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		f, err := factories()
		f.Extensions[statusFactory.Type()] = statusFactory
		return f, err
	}
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ProviderFactories = append(resolver.ProviderFactories, fileprovider.NewFactory())
	resolver.ConverterFactories = []confmap.ConverterFactory{confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return switchOff{} })}
	resolver.URIs, resolver.DefaultScheme = locations, "env"
	addChecks(&set, noteSources(&set))

	provider, err := otelcol.NewConfigProvider(set.ConfigProviderSettings)
	require.NoError(t, err)
	defer func() { require.NoError(t, provider.Shutdown(context.Background())) }()
	all, err := set.Factories()
	require.NoError(t, err)
	cfg, err := provider.Get(context.Background(), all)
	require.NoError(t, err)
	return *cfg.Extensions[component.MustNewID("status")].(*statusConfig)
}

const statusPipeline = `
receivers: {nop: }
extensions: {status: {code: "${env:CODE:-}"}}
service: {extensions: [status], pipelines: {logs: {receivers: [nop], exporters: [nop, nop/off]}}}
`

func TestStatusNamesVariablesOfWhatIsOff(t *testing.T) {
	t.Setenv("SET", "x")
	t.Setenv("EMPTY", "")
	for name, tt := range map[string]struct {
		off      string // the keys of the exporter
		variable string
		needs    []string
	}{
		"a variable with a default":        {`enabled: "${env:OFF:-false}"`, "OFF", nil},
		"a variable without one":           {`enabled: "${env:OFF}"`, "OFF", nil},
		"a variable of the default scheme": {`enabled: "${OFF}"`, "OFF", nil},
		"a variable with another one":      {`enabled: "${env:OFF:-${env:ALL_OFF:-false}}"`, "OFF", nil},
		"an empty variable":                {`enabled: "${env:EMPTY}"`, "EMPTY", nil},
		"the file itself":                  {"enabled: false", "", nil},
		"several variables":                {`enabled: "${env:OFF}${env:ALL_OFF}"`, "", nil},
		"several variables and a default":  {`enabled: "${env:OFF:-}${env:ALL_OFF}"`, "", nil},
		"enabled_if_set":                   {`enabled_if_set: "${env:OFF:-}"`, "OFF", nil},
		"other keys": {
			`enabled: "${env:OFF}", a: "${env:KEY:-}", b: {c: ["${env:LISTED}"]}, d: "${env:SET}", e: "${env:PORT:-4318}", i: "${env:NUMBER:-0}", j: "${env:OFTEN:-false}", f: "${env:KEY}", g: "x${env:PART}", h: "$${env:TEXT}"`,
			"OFF", []string{"KEY", "LISTED", "NUMBER"},
		},
		"the variable of the switch in another key": {`enabled_if_set: "${env:OFF:-}", a: "${env:OFF:-}"`, "OFF", nil},
		"other keys without a variable for the key": {`enabled: false, a: "${env:KEY}"`, "", []string{"KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := readStatus(t, "yaml:"+statusPipeline+"exporters: {nop: , nop/off: {"+tt.off+"}}")
			off, ok := cfg.SwitchedOff["exporters/nop/off"]
			require.True(t, ok)
			assert.Equal(t, tt.variable, off.Variable)
			assert.Equal(t, tt.needs, off.Needs)
			assert.Equal(t, []string{"logs"}, off.Pipelines)
			assert.Regexp(t, `^exporters::nop/off::enabled(_if_set)?$`, off.Switch)
		})
	}
}

func TestStatusNamesVariableOfTheFileThatDecides(t *testing.T) {
	t.Setenv("CODE", "0123")
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return "file:" + file
	}
	base := write("base.yaml", statusPipeline+`exporters: {nop: , nop/off: {enabled: "${env:OFF:-false}", a: "${env:KEY}"}}`)
	over := write("over.yaml", `exporters: {nop/off: {enabled: "${env:OVER:-no}"}}`)
	included := write("exporters.yaml", `{nop: , nop/off: {enabled: "${env:OFF:-false}", a: "${env:KEY}"}}`)
	extensions := write("extensions.yaml", `status: {code: "${env:CODE}"}`)

	want := statusfeed.SwitchedOff{Switch: "exporters::nop/off::enabled", Variable: "OFF", Needs: []string{"KEY"}, Pipelines: []string{"logs"}}
	for name, tt := range map[string]struct {
		locations []string
		variable  string
	}{
		"one file":       {[]string{base}, "OFF"},
		"two files":      {[]string{base, over}, "OVER"},
		"the flag --set": {[]string{base, "yaml:exporters::nop/off::enabled: false"}, ""},
		"included files": {[]string{write("main.yaml", replaceExtensions(statusPipeline, extensions)+"exporters: ${"+included+"}")}, "OFF"},
	} {
		t.Run(name, func(t *testing.T) {
			want.Variable = tt.variable
			cfg := readStatus(t, tt.locations...)
			assert.Equal(t, map[string]statusfeed.SwitchedOff{"exporters/nop/off": want}, cfg.SwitchedOff)
			assert.Equal(t, "0123", cfg.Code, "the text of other keys is kept")
		})
	}
}

func replaceExtensions(config, location string) string {
	return strings.Replace(config, `{status: {code: "${env:CODE:-}"}}`, "${"+location+"}", 1)
}
