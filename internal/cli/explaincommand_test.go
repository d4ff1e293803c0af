// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDisplayedVariables(t *testing.T) {
	t.Setenv("SET_A", "a")
	s := &sources{}
	s.add("yaml:x", "a: ${env:SET_A}\nb: ${SET_A:-x}\nc: ${env:NOT_SET:-y}\n")
	found := s.variables()
	require.Len(t, found, 1)
	assert.Equal(t, "SET_A", found[0].Name)
}

func TestErrorsOfExplainHaveNoSecret(t *testing.T) {
	t.Setenv("SHOP_TOKEN", "planted-token-1")
	for name, config := range map[string]string{
		"variable": `exporters: {otlp_http: {compression: "${env:SHOP_TOKEN}"}}`,
		"literal":  `exporters: {otlp_http: {headers: {X-Key: planted-token-2}, compression: planted-token-2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := NewCommand(settings(), validConfig)
			cmd.SetArgs([]string{"explain", "--config", "yaml:" + validConfig, "--config", "yaml:" + config, "--event", "-"})
			cmd.SetIn(strings.NewReader(`{"name":"a"}`))
			err := cmd.Execute()
			require.ErrorContains(t, err, "invalid configuration")
			assert.NotContains(t, err.Error(), "planted-token")
		})
	}
}

func TestErrorsHaveNoControlCharacters(t *testing.T) {
	cmd := NewCommand(settings(), validConfig)
	cmd.SetArgs([]string{"explain", "--event", "missing\x1b[31m\u009b"})
	assert.ErrorContains(t, cmd.Execute(), `there is no file missing\u001b[31m\u009b;`)
}
