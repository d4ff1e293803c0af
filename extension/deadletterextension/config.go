// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "localhost:13134"
	// confighttp has no read timeout by default, and a client that sends one byte a minute would
	// keep its connection forever.
	defaultReadTimeout = 30 * time.Second
	defaultMaxSize     = 1 << 30
	// A smaller store would have too few files to evict only the oldest.
	minMaxSize = 1 << 20
)

// Config is the configuration of the dead_letter extension.
type Config struct {
	// ServerConfig configures the HTTP API: endpoint (default localhost:13134), tls, auth,
	// read_timeout (default 30s) and the other keys of confighttp.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// Directory keeps the dead letters, in one folder per exporter. It is required, and no other
	// extension may use it.
	Directory string `mapstructure:"directory"`

	// CreateDirectory creates the directory if it does not exist; default true.
	CreateDirectory bool `mapstructure:"create_directory"`

	// MaxSize is how many bytes the directory may hold; default 1 GiB. Beyond it the oldest files
	// are removed.
	MaxSize int64 `mapstructure:"max_size"`

	// MaxAge is how long dead letters are kept; default 0, as long as there is room. Whole files
	// are removed, so some dead letters stay up to an eighth longer.
	MaxAge time.Duration `mapstructure:"max_age"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	endpoint := cfg.ServerConfig.NetAddr.Endpoint
	if endpoint == "" {
		return errors.New("endpoint: is missing; set the address to listen on as host:port, such as " + defaultEndpoint)
	}
	if err := strictconf.CheckAddress(endpoint, defaultEndpoint); err != nil && cfg.ServerConfig.NetAddr.Transport != "unix" {
		return fmt.Errorf("endpoint: %w", err)
	}
	if cfg.Directory == "" {
		return errors.New("directory: is missing; set the folder for the dead letters, such as ./data/dead-letters")
	}
	if cfg.MaxSize < minMaxSize {
		return fmt.Errorf("max_size: %d bytes is too small; use at least %d (default %d)",
			cfg.MaxSize, minMaxSize, defaultMaxSize)
	}
	if cfg.MaxAge < 0 {
		return fmt.Errorf("max_age: %s is negative; set how long to keep dead letters, such as 168h, or 0 to keep them while there is room", cfg.MaxAge)
	}
	return nil
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultReadTimeout
	return &Config{ServerConfig: server, CreateDirectory: true, MaxSize: defaultMaxSize}
}
