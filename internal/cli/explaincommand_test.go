// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/otelcol"
)

// userFactory is the factory of an extension that runs the configuration in use.
type userFactory struct {
	extension.Factory
	config func() *confmap.Conf
}

// UseConfig implements explain.ConfigUser.
func (f *userFactory) UseConfig(config func() *confmap.Conf) { f.config = config }

func TestExtensionGetsTheResolvedConfiguration(t *testing.T) {
	t.Setenv("NAME", "0123")
	set := settings()
	user := &userFactory{Factory: extensiontest.NewNopFactory()}
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		all, err := factories()
		all.Extensions = map[component.Type]extension.Factory{user.Type(): user}
		return all, err
	}
	cmd := NewCommand(set, validConfig)
	cmd.SetArgs([]string{"validate", "--config", "yaml:" + validConfig, "--config", "yaml:exporters: {otlp_http: {endpoint: https://otlp.example.com, headers: {key: \"${env:NAME}\"}}}"})
	require.NoError(t, cmd.Execute())
	require.NotNil(t, user.config)
	conf, err := user.config().Sub("exporters::otlp_http::headers")
	require.NoError(t, err)
	var cfg struct {
		Key string `mapstructure:"key"`
	}
	require.NoError(t, conf.Unmarshal(&cfg))
	assert.Equal(t, "0123", cfg.Key, "text stays text")
}

func TestDisplayedVariables(t *testing.T) {
	t.Setenv("SET_A", "a")
	s := &sources{}
	s.add("yaml:x", "a: ${env:SET_A}\nb: ${SET_A:-x}\nc: ${env:NOT_SET:-y}\n")
	found := s.variables()
	require.Len(t, found, 1)
	assert.Equal(t, "SET_A", found[0].Name)
}
