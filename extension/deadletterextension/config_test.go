// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestValidation(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error, if any
	}{
		"a directory is enough":       {conf: map[string]any{}},
		"a unix socket needs no port": {conf: map[string]any{"endpoint": "/tmp/letters.sock", "transport": "unix"}},
		"no directory":                {conf: map[string]any{"directory": ""}, want: "directory: is missing; set the folder for the dead letters, such as ./data/dead-letters"},
		"no endpoint":                 {conf: map[string]any{"endpoint": ""}, want: "endpoint: is missing; set the address to listen on as host:port, such as localhost:13134"},
		"an endpoint without a port":  {conf: map[string]any{"endpoint": "localhost"}, want: `endpoint: "localhost" is not host:port, such as localhost:13134`},
		"a port that does not exist":  {conf: map[string]any{"endpoint": "localhost:131340"}, want: `endpoint: port 131340 is out of range; write 1 to 65535`},
		"max_size too small":          {conf: map[string]any{"max_size": 1000}, want: "max_size: 1000 bytes is too small; use at least 1048576 (default 1073741824)"},
		"max_size with a unit":        {conf: map[string]any{"max_size": "1GiB"}, want: "max_size"},
		"negative max_age":            {conf: map[string]any{"max_age": "-1h"}, want: "max_age: -1h0m0s is negative; set how long to keep dead letters, such as 168h, or 0 to keep them while there is room"},
		"an unknown key":              {conf: map[string]any{"directry": "x"}, want: `unknown key "directry"; did you mean "directory"?`},
		"an unknown server key":       {conf: map[string]any{"tls": map[string]any{"cert_fil": "x"}}, want: "cert_fil"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.Directory = "x"
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

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.Equal(t, "localhost:13134", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 30*time.Second, cfg.ServerConfig.ReadTimeout)
	assert.Equal(t, int64(1<<30), cfg.MaxSize)
	assert.Zero(t, cfg.MaxAge)
	assert.True(t, cfg.CreateDirectory)
}

func TestServerKeysAndOwnKeysAreRead(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoint": "localhost:1", "read_timeout": "3s", "directory": "d", "max_size": 5_000_000, "max_age": "168h", "create_directory": false,
	}).Unmarshal(cfg))
	assert.Equal(t, "localhost:1", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 3*time.Second, cfg.ServerConfig.ReadTimeout)
	assert.Equal(t, "d", cfg.Directory)
	assert.Equal(t, int64(5_000_000), cfg.MaxSize)
	assert.Equal(t, 168*time.Hour, cfg.MaxAge)
	assert.False(t, cfg.CreateDirectory)
}
