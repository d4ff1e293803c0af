// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
)

// sharing counts the backends of a factory.
type sharing struct{ made, closed int }

func (s *sharing) factory(newErr, tracesErr error) exporter.Factory {
	return NewFactory(Definition[Config]{
		Type: component.MustNewType("line"), CreateDefaultConfig: func() component.Config { return nil },
		Logs: component.StabilityLevelDevelopment, Traces: component.StabilityLevelDevelopment,
		Settings: func(cfg *Config) (*Config, confighttp.ClientConfig) { return cfg, confighttp.NewDefaultClientConfig() },
		New: func(*Config, exporter.Settings) (Backend, Options, error) {
			s.made++
			return &lineBackend{header: http.Header{}}, Options{
				NewTracesEncoder: func() (TracesEncoder, error) { return spanEncoder{}, tracesErr },
				Close:            func() { s.closed++ },
			}, newErr
		},
	})
}

func TestSignalsShareABackendUntilTheLastStops(t *testing.T) {
	var s sharing
	factory := s.factory(nil, nil)
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	cfg, other := NewDefaultConfig(1), NewDefaultConfig(1)
	logs, err := factory.CreateLogs(t.Context(), set, &cfg)
	require.NoError(t, err)
	traces, err := factory.CreateTraces(t.Context(), set, &cfg)
	require.NoError(t, err)
	assert.Equal(t, sharing{made: 1}, s)
	another, err := factory.CreateLogs(t.Context(), set, &other)
	require.NoError(t, err)
	assert.Equal(t, sharing{made: 2}, s)

	for _, e := range []component.Component{logs, traces, another} {
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	}
	require.NoError(t, logs.Shutdown(t.Context()))
	assert.Equal(t, sharing{made: 2}, s)
	require.NoError(t, traces.Shutdown(t.Context()))
	require.NoError(t, another.Shutdown(t.Context()))
	assert.Equal(t, sharing{made: 2, closed: 2}, s)
}

func TestBackendErrorFailsCreation(t *testing.T) {
	var s sharing
	cfg := NewDefaultConfig(1)
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	_, err := s.factory(errors.New("bad"), nil).CreateLogs(t.Context(), set, &cfg)
	require.EqualError(t, err, "bad")

	_, err = s.factory(nil, errors.New("no spans")).CreateTraces(t.Context(), set, &cfg)
	require.EqualError(t, err, "no spans")
	assert.Equal(t, sharing{made: 2, closed: 1}, s, "what was made is closed")
}
