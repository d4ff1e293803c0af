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
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// closing is a backend that leaves what it shares.
type closing struct {
	*lineBackend
	close func()
}

func (b *closing) Close() { b.close() }

func TestTheExportersOfOneConfigurationShareABackendUntilTheLastHasStopped(t *testing.T) {
	var shared Shared[*Config, *closing]
	cfg, other := NewDefaultConfig(1), NewDefaultConfig(1)
	start := func(cfg *Config) (*closing, component.Component) {
		b, err := shared.Acquire(cfg, func() (*closing, error) {
			return &closing{&lineBackend{header: http.Header{}}, func() { shared.Release(cfg) }}, nil
		})
		require.NoError(t, err)
		e, err := NewLogs(t.Context(), exportertest.NewNopSettings(component.MustNewType("line")), cfg, confighttp.NewDefaultClientConfig(), b)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
		return b, e
	}
	a, first := start(&cfg)
	b, second := start(&cfg)
	c, third := start(&other)
	assert.Same(t, a, b)
	assert.NotSame(t, a, c)
	assert.Equal(t, 2, shared.Len())

	require.NoError(t, first.Shutdown(t.Context()))
	assert.Equal(t, 2, shared.Len())
	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, third.Shutdown(t.Context()))
	assert.Zero(t, shared.Len())

	_, err := shared.Acquire(&cfg, func() (*closing, error) { return nil, errors.New("bad") })
	require.EqualError(t, err, "bad")
	assert.Zero(t, shared.Len())
}

func TestWhatIsForTheOperatorToMend(t *testing.T) {
	for reason, want := range map[string]bool{
		"unauthorized": true, "redirected": true, "gone": true, "blocked": true, "rate_limited": true,
		"refused": false, "too_large": false, "encoding": false,
	} {
		r := refusedEvent{cause: cause{reason: deadletter.Reason(reason)}}
		assert.Equal(t, want, isForTheOperator([]refusedEvent{r}), reason)
	}
}
