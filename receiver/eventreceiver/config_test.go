// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestConfigurations(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error; none where empty
	}{
		"the defaults are valid":              {},
		"all interfaces, when asked for":      {conf: map[string]any{"endpoint": "0.0.0.0:80"}},
		"a unix socket needs no port":         {conf: map[string]any{"endpoint": "/tmp/events.sock", "transport": "unix"}},
		"an endpoint is needed":               {conf: map[string]any{"endpoint": ""}, want: "endpoint: is missing; write the address to listen on as host:port, such as localhost:4319"},
		"an endpoint has a port":              {conf: map[string]any{"endpoint": "localhost"}, want: `endpoint: "localhost" is not host:port, such as localhost:4319`},
		"HTTP runs over TCP":                  {conf: map[string]any{"transport": "udp"}, want: `transport: "udp"`},
		"an encoding exists":                  {conf: map[string]any{"compression_algorithms": []any{"br"}}, want: `compression_algorithms: "br" is not an encoding that is taken; there are gzip`},
		"max_events is positive":              {conf: map[string]any{"max_events": 0}, want: "max_events: 0 is not positive"},
		"an unknown key is refused":           {conf: map[string]any{"endpont": "x"}, want: "endpont"},
		"an unknown key beside known is also": {conf: map[string]any{"endpoint": "localhost:1", "max_event": 5}, want: "max_event"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig()
			err := confmap.NewFromStringMap(tt.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestKeysBesideThoseOfTheServerAreRead(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": "localhost:1", "max_events": 5, "read_timeout": "3s"}).Unmarshal(cfg))
	assert.Equal(t, 5, cfg.MaxEvents)
	assert.Equal(t, "localhost:1", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 3*time.Second, cfg.ServerConfig.ReadTimeout)
}

func TestTheDefaultsListenOnTheLoopbackOnly(t *testing.T) {
	assert.Equal(t, "localhost:4319", createDefaultConfig().(*Config).ServerConfig.NetAddr.Endpoint)
}
